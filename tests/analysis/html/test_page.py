import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from augbench.analysis.html.elements import Section, paragraph
from augbench.analysis.html.history import History
from augbench.analysis.html.page import SECTIONS, page
from augbench.analysis.html.report_data import ReportData
from augbench.analysis.tables.frame import results

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; alert(1); '",
    "</script><b>",
    "$x$",
    "a|b",
    "{x}",
    "&amp;",
    "%s %(x)s",
    "=1+1",
]


class Parsed(HTMLParser):
    """The elements of a page, their attributes, and its texts outside of style and scripts."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.scripts, self.inside = [], "", [], ""
        self.feed(html.decode())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1] += data
        elif self.inside != "style":
            self.text += data


def parsed(make_page, run):
    return Parsed(make_page(run).read_bytes())


def test_the_same_results_give_the_same_bytes(grid, make_page):
    first = make_page(grid(3, 2)).read_bytes()
    assert make_page(grid(3, 2)).read_bytes() == first


def test_every_section_is_in_the_list_of_contents(grid, make_page):
    found = parsed(make_page, grid(2, 2))
    sections = [attributes["id"] for tag, attributes in found.elements if tag == "section"]
    links = [attributes["href"] for tag, attributes in found.elements if tag == "a"]
    analysis = ["curves", "scores", "tests", "over-tasks"]
    assert sections == ["summary", "completeness", *analysis, "provenance"]
    assert links[1:] == [f"#{name}" for name in sections]  # the first leads past the list


def test_a_section_is_one_function_of_the_report(grid, monkeypatch):
    def extra(report):
        return Section("extra", "Extra", paragraph(f"{len(report.scores)} rows"))

    monkeypatch.setattr("augbench.analysis.html.page.SECTIONS", (*SECTIONS, extra))
    assert b'<section id="extra"><h2>Extra</h2>' in page(ReportData(grid(2, 1), History()))


@pytest.mark.parametrize("label", HOSTILE)
def test_what_a_user_calls_things_is_shown_and_never_run(label, trial, gather, make_page):
    def run(name):
        point = [(0.5, 0.4, 1, 1)]
        return gather(
            trial(name, 0, point, task=name),
            trial(name, 1, [], task=name, state="failed", reason=name),
            trial(f"{name} too", 0, [], task=name, state="skipped", reason=name),
        )

    plain, found = parsed(make_page, run("a plain")), parsed(make_page, run(label))
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in plain.elements]
    assert [sorted(each) for _, each in found.elements] == [
        sorted(each) for _, each in plain.elements
    ]
    assert found.text.count(label) == plain.text.count("a plain")


def test_control_characters_are_shown_as_escapes(trial, gather, make_page):
    found = parsed(make_page, gather(trial("a\nb\x00\u2028", 0, [(0.5, 0.4, 1, 1)])))
    assert r"a\nb\x00\u2028" in found.text


def test_nothing_is_loaded_from_elsewhere(grid, make_page):
    found = parsed(make_page, grid(2, 1))
    for _, attributes in found.elements:
        for name in ("src", "href", "srcset", "action", "poster", "data"):
            assert attributes.get(name, "#").startswith("#")
    assert "@import" not in make_page(grid(2, 1)).read_text().partition("</style>")[0]


def test_only_the_scripts_of_the_page_may_run(grid, make_page):
    found = parsed(make_page, grid(2, 1))
    policy = next(a["content"] for tag, a in found.elements if "http-equiv" in a)
    allowed = set(re.findall(r"'(sha256-[^']+)'", policy))
    attributes = [attributes for tag, attributes in found.elements if tag == "script"]
    every = zip(attributes, found.scripts, strict=True)
    ran = [text for own, text in every if "type" not in own]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in ran]
    assert allowed == {f"sha256-{digest}" for digest in digests}
    assert len(ran) == 3
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]


def test_a_run_without_points_has_a_page_without_curves(trial, gather, make_page):
    found = parsed(make_page, gather(trial("none", 0, [], state="waiting")))
    assert "no point is scored yet" in found.text
    assert not [a for tag, a in found.elements if a.get("id") in ("curves", "scores")]
    assert len(make_page(gather(trial("none", 0, [], state="waiting"))).read_bytes()) < 50_000


def test_a_run_without_trials_has_a_page(make_page):
    assert "This run has no trials." in parsed(make_page, results([], [], "empty")).text


def test_every_picture_has_a_text_for_those_who_cannot_see_it(grid, make_page):
    found = parsed(make_page, grid(2, 1))
    pictures = [attributes for tag, attributes in found.elements if tag == "img"]
    assert len(pictures) == 4
    assert all(picture["alt"] for picture in pictures)
