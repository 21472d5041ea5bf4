"""The page: a list of sections in a frame, with its style and scripts inside."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from importlib.resources import files

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from augbench.analysis.html.classes import classes_section
from augbench.analysis.html.completeness import completeness_section
from augbench.analysis.html.costs import costs_section
from augbench.analysis.html.curves import curves_section
from augbench.analysis.html.elements import Section, join, safe
from augbench.analysis.html.gains import gains_section
from augbench.analysis.html.learned import learned_section
from augbench.analysis.html.over_tasks import over_tasks_section
from augbench.analysis.html.provenance import provenance_section, suite_section
from augbench.analysis.html.report_data import ReportData
from augbench.analysis.html.scores import scores_section
from augbench.analysis.html.summary import summary_section

# From top to bottom. A section is a function of the report; None where there is nothing to show.
SECTIONS: tuple[Callable[[ReportData], Section | None], ...] = (
    summary_section,
    completeness_section,
    curves_section,
    scores_section,
    gains_section,
    over_tasks_section,
    classes_section,
    learned_section,
    costs_section,
    suite_section,
    provenance_section,
)


def page(report: ReportData) -> bytes:
    """The page in UTF-8. It asks for nothing else, and the same report gives the same bytes."""
    sections = [section for build in SECTIONS if (section := build(report)) is not None]
    links = [Markup('<a href="#{}">{}</a>').format(s.anchor, s.title) for s in sections]
    bodies = [
        Markup('<section id="{}"><h2>{}</h2>\n{}</section>').format(s.anchor, s.title, s.body)
        for s in sections
    ]
    scripts = [_file("page.js")]
    if any(section.anchor == "curves" for section in sections):
        scripts = [get_plotlyjs(), *scripts, _file("curves.js")]
    html = Markup(_file("page.html")).format(
        title=safe(report.results.suite),
        # Only these very scripts run: not even a text that were not escaped could bring one in.
        policy=" ".join(f"'{_digest(script)}'" for script in scripts),
        style=Markup(_file("page.css")),
        links=join(links),
        sections=join(bodies),
        scripts=join(Markup("<script>{}</script>").format(Markup(script)) for script in scripts),
    )
    return html.encode()


def _file(name: str) -> str:
    return (files("augbench.analysis.html") / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    assert "</script" not in script.lower()
    return f"sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
