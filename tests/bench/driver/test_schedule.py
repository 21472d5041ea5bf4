"""The driver against an engine that does what a test says."""

from collections import Counter
from pathlib import Path

import pytest

from augbench.bench.driver.backlog import pending
from augbench.bench.driver.schedule import Tally, work_through
from augbench.bench.engines.engine import Ending, Outcome
from augbench.bench.plan.spec import SamplingSpec, TrialSpec, UnitId
from augbench.bench.plan.suite import load_suite
from augbench.bench.store.files import read_lines
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.samplings import ask_for
from augbench.bench.store.states import unit_state
from augbench.methods.policies.slot import Slot
from augbench.methods.training.sampling import Proposal
from by_hand import POLICIES, begin, end, model_row, policy_row


class Scripted:
    """Ends each try at a unit as its script says, and well once the script is used up."""

    def __init__(self, run: RunDirectory, slots: int, script: dict[UnitId, list[Ending]]) -> None:
        self.slots, self._run, self._script = slots, run, script
        self.flight: list[UnitId] = []
        self.tries: Counter[UnitId] = Counter()
        self.most_in_flight = 0
        self.order: list[UnitId] = []

    def submit(self, unit: UnitId) -> None:
        self.flight.append(unit)
        self.order.append(unit)
        self.tries[unit] += 1
        self.most_in_flight = max(self.most_in_flight, len(self.flight))

    def wait(self, seconds: float) -> list[Outcome]:
        unit = self.flight.pop(0)
        script = self._script.get(unit, [])
        ending = script.pop(0) if script else "done"
        if ending == "done":
            directory = self._run.unit(unit)
            if unit.kind == "evaluations":
                begin(directory, model_row(1))
            end(directory)
        return [Outcome(unit, ending, "as the test says")]

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def specs(small_suite: Path) -> list[TrialSpec]:
    suite = load_suite(small_suite, ["seeds=[0,1,2]"])
    return [planned.spec for planned in suite.plan]


def begun(folder: Path) -> RunDirectory:
    """A run directory with its events, as a driver makes it."""
    run = RunDirectory(folder)
    run.events_file.touch()
    return run


def drive(
    folder: Path, specs: list[TrialSpec], slots: int = 2, **script: list[Ending]
) -> tuple[Scripted, Tally, RunDirectory]:
    run = begun(folder)
    scripted = {specs[int(key[1:])].unit: list(endings) for key, endings in script.items()}
    engine, tally = Scripted(run, slots, scripted), Tally()
    work_through(run, specs, engine, tally)
    return engine, tally, run


def test_all_is_done_and_no_slot_is_used_twice(tmp_path: Path, specs: list[TrialSpec]) -> None:
    engine, tally, run = drive(tmp_path, specs)
    assert tally.finished == len(specs) == 6
    assert engine.most_in_flight == 2
    assert not pending(run, specs).units


@pytest.mark.parametrize(
    ("endings", "n_tries", "fails"),
    [
        (["crashed"], 2, False),
        (["crashed", "crashed"], 3, False),
        (["crashed", "crashed", "crashed"], 3, True),
        (["failed"], 2, False),
        (["failed", "failed"], 2, True),
        (["refused"], 1, True),
    ],
)
def test_how_often_a_unit_is_tried(
    tmp_path: Path, specs: list[TrialSpec], endings: list[Ending], n_tries: int, fails: bool
) -> None:
    engine, tally, _ = drive(tmp_path, specs, u0=endings)
    unit = specs[0].unit
    assert engine.tries[unit] == n_tries
    assert (unit in tally.failed) == fails
    assert tally.finished == len(specs) - fails


def test_what_failed_is_tried_again_by_the_next_driver(
    tmp_path: Path, specs: list[TrialSpec]
) -> None:
    drive(tmp_path, specs, u0=["refused"])
    engine, tally, _ = drive(tmp_path, specs)
    assert dict(engine.tries) == {specs[0].unit: 1}
    assert not tally.failed


def test_why_a_unit_was_given_up_stays_until_it_is_tried_again(
    tmp_path: Path, specs: list[TrialSpec]
) -> None:
    """A process that was killed cannot say so itself."""
    _, _, run = drive(tmp_path, specs, u0=["crashed", "crashed", "crashed"], u1=["crashed"])
    first, second = (run.unit(spec.unit) for spec in specs[:2])
    assert unit_state(first) == ("failed", "as the test says")
    assert unit_state(second)[0] == "done"
    drive(tmp_path, specs)
    assert unit_state(first)[0] == "done"
    assert not first.failure_file.exists()


def test_policies_that_come_up_on_the_way_are_evaluated_once(
    tmp_path: Path, specs: list[TrialSpec]
) -> None:
    run = begun(tmp_path)
    first = run.add_unit(specs[0].unit, specs[0].to_json())
    begin(first, *(policy_row(first, point, POLICIES["first"]) for point in (1, 2)))
    engine, tally, _ = drive(tmp_path, specs)
    kinds = Counter(unit.kind for unit in engine.order)
    assert kinds == {"trials": 6, "evaluations": 1}
    assert tally.finished == 7
    assert list(tally.requested_by.values()) == [specs[0].unit]


def test_a_damaged_policy_stops_no_other_trial(tmp_path: Path, specs: list[TrialSpec]) -> None:
    run = begun(tmp_path)

    class Damaging(Scripted):
        def wait(self, seconds: float) -> list[Outcome]:
            folder = self._run.unit(specs[0].unit)
            if not folder.points():
                row = policy_row(folder, 1, POLICIES["first"])
                begin(folder, row)
                (folder.policies / f"{row['policy']}.json").write_text("{")
            return super().wait(seconds)

    engine, tally = Damaging(run, 1, {}), Tally()
    work_through(run, specs, engine, tally)
    assert tally.finished == len(specs)
    left = pending(run, specs)
    assert [spec.unit for spec in left.units] == [specs[0].unit]
    assert ".json is damaged" in left.damaged[specs[0].unit]


def test_who_watches_sees_every_unit_under_way_and_the_end(
    tmp_path: Path, specs: list[TrialSpec]
) -> None:
    run, tally = begun(tmp_path), Tally()
    seen: list[set[UnitId]] = []
    engine = Scripted(run, 1, {})
    work_through(run, specs, engine, tally, on_tick=lambda: seen.append(set(tally.in_flight)))
    assert seen == [*({unit} for unit in engine.order), set()]


def test_what_happened_is_on_record(tmp_path: Path, specs: list[TrialSpec]) -> None:
    _, _, run = drive(tmp_path, specs, u0=["crashed"])
    events = [line["event"] for line in read_lines(run.events_file)]
    assert Counter(events) == {"dispatched": 7, "finished": 6, "retried": 1}


def test_a_unit_has_no_folder_before_its_turn(tmp_path: Path, specs: list[TrialSpec]) -> None:
    """A plan of 100,000 trials would else be as many folders before the first one starts."""
    run, tally = begun(tmp_path), Tally()
    made: list[int] = []
    engine = Scripted(run, 2, {})
    work_through(
        run, specs, engine, tally, on_tick=lambda: made.append(len(list(tmp_path.glob("trials/*"))))
    )
    assert made[0] == 2
    assert made[-1] == len(specs)


def test_the_last_units_are_the_short_ones(tmp_path: Path, specs: list[TrialSpec]) -> None:
    """The plan alternates; with two workers the last four units are handed out by their length."""
    now = 0.0

    class Slow(Scripted):
        def wait(self, seconds: float) -> list[Outcome]:
            nonlocal now
            now += 30.0 if methods[self.flight[0]] == "random_policy" else 1.0
            return super().wait(seconds)

    methods = {spec.unit: spec.method for spec in specs}
    run = begun(tmp_path)
    engine = Slow(run, 2, {})
    work_through(run, specs, engine, Tally(), clock=lambda: now)
    handed_out = [methods[unit] for unit in engine.order if unit in methods]
    assert handed_out[-2:] == ["none", "none"]
    assert sorted(handed_out) == sorted(methods.values())


class Asking(Scripted):
    """Its first trial asks for two samplings when it is begun, and ends when it goes on."""

    def __init__(self, run: RunDirectory, asks: UnitId, script: dict[UnitId, list[Ending]]) -> None:
        super().__init__(run, 2, script)
        self._run_directory, self._asks = run, asks

    def wait(self, seconds: float) -> list[Outcome]:
        unit = self.flight[0]
        directory = self._run_directory.unit(unit)
        if unit == self._asks and not directory.samplings_file.exists():
            begin(directory)
            ask_for(directory, ASKED)
            return [Outcome(self.flight.pop(0), "done")]
        return super().wait(seconds)


ASKED = [Proposal(n, (Slot("rotate", 0.5, 0.1 * n),)) for n in range(2)]


def asking(folder: Path, specs: list[TrialSpec], *endings: Ending) -> tuple[Asking, Tally]:
    """A driver with two workers; the first sampling ends so each time that it is tried."""
    run, trial = begun(folder), specs[0]
    first = SamplingSpec(trial.to_json(), ASKED[0].to_json()).unit
    engine, tally = Asking(run, trial.unit, {first: list(endings)}), Tally()
    work_through(run, specs, engine, tally)
    return engine, tally


def test_samplings_go_before_all_else_and_their_trial_goes_on_after_them(
    tmp_path: Path, specs: list[TrialSpec]
) -> None:
    engine, tally = asking(tmp_path, specs)
    trial, second = specs[0].unit, specs[1].unit
    units = sampling_units(specs[0], ASKED)
    assert engine.order[:2] == [trial, second]
    assert engine.order[2:4] == units
    assert engine.order.index(trial, 1) == 5  # the third trial filled the slot of the first one
    assert engine.tries[trial] == 2
    assert tally.finished == len(specs) + 2
    assert not tally.failed


def test_a_sampling_that_fails_is_left_to_its_trial(tmp_path: Path, specs: list[TrialSpec]) -> None:
    engine, tally = asking(tmp_path, specs, "failed", "failed")
    assert engine.tries[specs[0].unit] == 2
    assert not tally.failed
    assert unit_state(RunDirectory(tmp_path).unit(specs[0].unit))[0] == "done"


def has_asked(folder: Path, trial: TrialSpec, *batches: list[Proposal]) -> RunDirectory:
    """A run in which a trial has asked for batches of samplings, and nobody works."""
    run = begun(folder)
    directory = run.add_unit(trial.unit, trial.to_json())
    begin(directory)
    for batch in batches:
        ask_for(directory, batch)
    return run


def sampling_units(trial: TrialSpec, batch: list[Proposal]) -> list[UnitId]:
    return [SamplingSpec(trial.to_json(), each.to_json()).unit for each in batch]


def test_the_next_driver_does_the_samplings_before_their_trial(
    tmp_path: Path, specs: list[TrialSpec]
) -> None:
    trial = specs[0]
    left = pending(has_asked(tmp_path, trial, ASKED), [trial])
    units = sampling_units(trial, ASKED)
    assert [each.unit for each in left.units] == [*units, trial.unit]
    assert left.waiting == {trial.unit: set(units)}
    engine, tally, _ = drive(tmp_path, [trial])
    assert engine.order == [*units, trial.unit]
    assert tally.finished == 3


def test_a_finished_trial_whose_list_of_samplings_is_damaged_is_done_again(
    tmp_path: Path, specs: list[TrialSpec]
) -> None:
    """Status shows it as damaged, and says that the next driver does it again."""
    trial = specs[0]
    run = has_asked(tmp_path, trial, ASKED)
    end(run.unit(trial.unit))
    assert pending(run, [trial]).units == []
    run.unit(trial.unit).samplings_file.write_text("{}\n")
    left = pending(run, [trial])
    assert left.units == [trial]
    assert "samplings.jsonl is damaged" in left.damaged[trial.unit]
    drive(tmp_path, [trial])
    assert pending(run, [trial]).damaged == {}


def test_a_batch_that_the_trial_has_passed_is_not_handed_out_again(
    tmp_path: Path, specs: list[TrialSpec]
) -> None:
    """What failed of it elsewhere, the trial has done itself."""
    trial = specs[0]
    later = [each._replace(number=each.number + len(ASKED)) for each in ASKED]
    run = has_asked(tmp_path, trial, ASKED, later)
    units = sampling_units(trial, later)
    assert [each.unit for each in pending(run, [trial]).units] == [*units, trial.unit]
