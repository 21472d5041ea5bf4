"""The commands that stand in README and docs, as `from pages import commands`."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES.append(ROOT / "docker" / "README.md")
NAMES = {page: str(page.relative_to(ROOT)) for page in PAGES}
COMMAND = re.compile(r"^    (?:\S.*? )??augbench (?P<words>[a-z].*)$", re.MULTILINE)
OTHERS = "docker|kubectl|make|mlflow|pip|ray|sbatch|tensorboard|wandb"
OTHER = re.compile(rf"^    (?P<words>(?:{OTHERS}) (?!.* augbench [a-z]).*)$", re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """The page and the words after `augbench` of each command line, in the order of the pages."""
    found = []
    for page in PAGES:
        for match in COMMAND.finditer(page.read_text(encoding="utf-8")):
            words = re.split(" #| > ", match["words"])[0].strip()
            if words.count("'") % 2:  # the command stands in quotes, after `ray exec`
                words = words.removesuffix("'")
            found.append((NAMES[page], words))
    return found


def other_commands() -> list[tuple[str, str]]:
    """The same of the programs of OTHERS, where they do not start augbench."""
    return [
        (NAMES[page], re.split(" +#", match["words"])[0].strip())
        for page in PAGES
        for match in OTHER.finditer(page.read_text(encoding="utf-8"))
    ]
