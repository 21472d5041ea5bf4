from pathlib import Path

from rich.console import Console

from augbench.bench.driver.display import Display, duration
from augbench.bench.driver.schedule import Tally
from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.suite import load_suite
from augbench.bench.store.files import append_line, replace_json
from augbench.bench.store.run_directory import RunDirectory
from by_hand import START


def made(small_suite: Path, folder: Path, console: Console) -> tuple[Display, Tally, RunDirectory]:
    suite = load_suite(small_suite)
    run = RunDirectory(folder)
    tally = Tally()
    for planned in suite.plan:
        run.add_unit(planned.spec.unit, planned.spec.to_json())
        tally.in_flight.add(planned.spec.unit)
    attempt = run.unit(suite.plan[0].spec.unit).begin_attempt()
    append_line(attempt.log_file, START)
    progress = {"step": 7, "phase": "search", "charged_seconds": 36.0, "best_valid": 0.625}
    replace_json(attempt.pulse_file, {"time": 1.0, **progress})
    return Display(run, suite.plan, tally, console), tally, run


def test_without_a_terminal_there_are_plain_lines(small_suite: Path, tmp_path: Path) -> None:
    console = Console(record=True, width=200, force_terminal=False)
    display, tally, _ = made(small_suite, tmp_path, console)
    with display.show():
        display.tick()
        display.tick()  # nothing has begun or ended: no second line
        tally.finished = 1
        display.tick()
    printed = console.export_text()
    assert printed.count(" done, 2 to do") == 2
    assert "digits · none · fold 0  training  7  0.625  0.0100" in printed
    assert "\x1b" not in printed


def test_a_unit_that_begins_is_told_before_it_ends(small_suite: Path, tmp_path: Path) -> None:
    """The inline engine says nothing while it works on one."""
    console = Console(record=True, width=200, force_terminal=False)
    display, tally, _ = made(small_suite, tmp_path, console)
    tally.in_flight, (first, second) = set(), sorted(tally.in_flight)
    for unit in (first, second):
        tally.in_flight = {unit}
        display.tick()
    printed = console.export_text()
    assert printed.count("digits · none ·") == printed.count("digits · random_policy ·") == 1


def test_how_long_it_takes_is_told_once_it_is_known_what_is_left(
    small_suite: Path, tmp_path: Path
) -> None:
    console = Console(record=True, width=200, force_terminal=False)
    display, tally, _ = made(small_suite, tmp_path, console)
    search = load_suite(small_suite).plan[1].spec.unit
    tally.finished = 1
    assert display._headline() == "1 done, 2 to do, retrainings to come · 0 s so far"
    tally.in_flight.remove(search)
    assert display._headline() == "1 done, 1 to do · 0 s so far · about 0 s left"


def test_a_retraining_is_told_with_the_method_that_asks_for_it(
    small_suite: Path, tmp_path: Path
) -> None:
    console = Console(record=True, width=200, force_terminal=False)
    display, tally, _ = made(small_suite, tmp_path, console)
    retraining = UnitId("evaluations", "abc")
    tally.in_flight = {retraining}
    tally.requested_by[retraining] = load_suite(small_suite).plan[1].spec.unit
    display.tick()
    printed = console.export_text()
    assert "digits · random_policy · fold 0  retraining" in printed


def test_on_a_terminal_there_is_a_table(small_suite: Path, tmp_path: Path) -> None:
    console = Console(record=True, width=120, force_terminal=True)
    display, _, _ = made(small_suite, tmp_path, console)
    console.print(display._table())
    printed = console.export_text()
    for part in ("trial", "phase", "valid", "hours", "0.625", "starting"):
        assert part in printed


def test_the_table_fits_80_columns_and_cuts_only_labels(tmp_path: Path) -> None:
    file = tmp_path / "suite.toml"
    name = "a_method_with_a_name_that_hardly_ends_" * 3
    text = f'name = "s"\nfolds = 1\n[tasks.digits]\n[methods.{name}]\nmethod = "none"\n'
    file.write_text(text, encoding="utf-8")
    console = Console(record=True, width=80, force_terminal=True)
    display, tally, _ = made(file, tmp_path, console)
    tally.requested_by[next(iter(tally.in_flight))] = next(iter(tally.in_flight))
    console.print(display._table())
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) == 3  # the headline, the header, one row
    assert "…" in lines[2]
    assert lines[2].rstrip().endswith("training  7     0.625  0.0100")


def test_seeds_are_told_where_there_are_several(tmp_path: Path) -> None:
    file = tmp_path / "suite.toml"
    file.write_text(
        'name = "s"\nfolds = 1\nseeds = [3, 4]\n[tasks.digits]\n[methods.none]\n', encoding="utf-8"
    )
    console = Console(record=True, width=80, force_terminal=False)
    display, _, _ = made(file, tmp_path, console)
    display.tick()
    assert "digits · none · fold 0 · seed 3" in console.export_text()


def test_times_are_in_the_unit_that_reads_best() -> None:
    assert [duration(s) for s in (5, 99, 120, 7200)] == ["5 s", "99 s", "2 min", "2.0 h"]


def test_labels_are_no_markup_and_damaged_progress_ends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "suite.toml"
    table = '[methods."{}"]\nmethod = "none"\ntraining = {{ epochs = {} }}\n'
    labels = ["augnet [a,b]", "[/x]", ":smile:"]
    text = 'name = "s"\nfolds = 1\n[tasks.digits]\n'
    text += "".join(table.format(label, number) for number, label in enumerate(labels, 1))
    file.write_text(text, encoding="utf-8")
    for is_terminal in (False, True):
        console = Console(record=True, width=200, force_terminal=is_terminal)
        folder = tmp_path / str(is_terminal)
        folder.mkdir()
        display, _, run = made(file, folder, console)
        for pulse in run.path.glob("*/*/attempts/*/pulse.json"):
            replace_json(pulse, {"best_valid": "[/x]", "charged_seconds": None, "phase": ["[/x]"]})
        if is_terminal:
            console.print(display._table())
        else:
            display.tick()
        printed = console.export_text()
        for label in labels:
            assert f"digits · {label} · fold 0" in printed
