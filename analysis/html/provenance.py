"""The suite, and where its results come from."""

from markupsafe import Markup

from augbench.analysis.html.elements import (
    Cell,
    Section,
    bullets,
    code,
    join,
    paragraph,
    table,
)
from augbench.analysis.html.history import History, Machine
from augbench.analysis.html.report_data import ReportData
from augbench.bench.plan.toml import toml
from augbench.datasets.errors import counted


def suite_section(report: ReportData) -> Section | None:
    """The suite file that would give this run, with all overrides."""
    if not report.history.suite:
        return None
    text = toml(report.history.suite).replace("\n[", "\n\n[")  # no value begins a line
    return Section("suite", "Suite", code(text, "the suite file, with all overrides"))


def provenance_section(report: ReportData) -> Section:
    """Code, libraries, machines, data, seeds, attempts."""
    history = report.history
    parts = [bullets(_facts(report))]
    if history.machines:
        parts.append(_machines(history))
    if history.data or history.splits:
        parts.append(_data(history))
    line = paragraph(f"This page is written by: {report.command_line}")
    return Section("provenance", "Provenance", join([*parts, line]))


def _facts(report: ReportData) -> list[str]:
    history, results = report.history, report.results
    facts = []
    if history.begun:
        ended = f"; the last attempt so far ended {history.ended}" if history.ended else ""
        facts.append(f"Begun {history.begun}{ended}.")
    if history.units:
        lost = f", of which {history.lost} were lost with their process" if history.lost else ""
        facts.append(
            f"{counted(history.units, 'unit')} (trials, retrainings, samplings) in "
            f"{counted(history.attempts, 'attempt')}{lost}."
        )
    for word in ("fold", "seed"):
        values = sorted(results.trials[word].unique())
        if values:
            facts.append(f"{word.capitalize()}s: {', '.join(map(str, values))}.")
    if any(machine.commit.endswith("-dirty") for machine in history.machines):
        facts.append("A commit that ends in -dirty had changes that were not committed.")
    return facts


def _machines(history: History) -> Markup:
    names = sorted({name for machine in history.machines for name, _ in machine.versions})
    header = ["augbench at commit", "device", "host", "threads", "attempts", *names]
    rows = [_machine(machine, n, names) for machine, n in history.machines.items()]
    return table("Code, libraries and machines", header, rows, words=3)


def _machine(machine: Machine, n_attempts: int, names: list[str]) -> list[Cell]:
    versions = dict(machine.versions)
    return [
        Cell(machine.commit or "not known"),
        Cell(machine.device),
        Cell(machine.host),
        Cell(str(machine.threads)),
        Cell(str(n_attempts)),
        *(Cell(versions.get(name) or "-") for name in names),
    ]


def _data(history: History) -> Markup:
    tasks = list(dict.fromkeys([*history.splits, *history.data]))
    rows = [
        [
            Cell(task),
            Cell(", ".join(history.data.get(task, ())) or "-"),
            Cell(history.splits.get(task, "-")),
        ]
        for task in tasks
    ]
    header = ["task", "digest of the data", "split"]
    return table("Data", header, rows, words=3)
