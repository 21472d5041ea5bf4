"""A method does the same again: after a stop, for the same seed, whoever draws beside it."""

from augbench.methods.conformance import generators
from augbench.methods.conformance.finding import BrokenError
from augbench.methods.conformance.method_case import Case
from augbench.methods.conformance.method_walk import (
    AFTER,
    follow,
    trail,
)
from augbench.methods.conformance.shown import first_difference, loaded

MOST_STOPS = 8


def resumes(case: Case) -> str:
    """Stopped after any step, a fresh one goes on from the file with the same bits."""
    stops = _spread(case.n_steps)
    for stop in stops:
        fresh = case.subject.start()
        try:
            state = loaded(case.moments[stop].state)
        except Exception as error:  # it refuses all that pickle would run
            brief = str(error).partition("\n")[0][:200]
            raise BrokenError(
                f"the state after step {stop} cannot be loaded from a file ({brief}): "
                "state_dict() may hold tensors, numbers, texts, lists and dicts alone"
            ) from None
        with generators.seeded(100 + stop):  # whoever goes on has other global generators
            fresh.method.load_state_dict(state)
            for n_more in range(min(AFTER, case.n_steps - stop) + 1):
                if n_more:
                    fresh.step()
                where = first_difference(case.moments[stop + n_more].seen, fresh.look())
                if where is not None:
                    when = f"{n_more} steps later" if n_more else "at once"
                    raise BrokenError(
                        f"stopped after step {stop} and loaded into a fresh one, it is another "
                        f"{when}, first in {where!r}: state_dict() has to hold all that the next "
                        "step depends on, and load_state_dict() to put it back"
                    )
    return f"stopped after {_listed(stops)} steps, it goes on with the same bits"


def _spread(n: int) -> list[int]:
    """Steps 0 to n - 1, or some of them, the first and the last included."""
    if n <= MOST_STOPS:
        return list(range(n))
    return sorted({round(each * (n - 1) / (MOST_STOPS - 1)) for each in range(MOST_STOPS)})


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def seed_decides(case: Case) -> str:
    """The same seed gives the same numbers, whatever else happens; another seed gives others."""
    n, expected = case.n_steps, case.moments[-1].seen
    with generators.seeded(7):
        silent = first_difference(expected, follow(case.subject.start(), n))
    if silent is not None:
        with generators.seeded(7):
            again = first_difference(expected, trail(case.subject.start())[-1].seen)
        if again is not None:
            raise BrokenError(
                f"two runs with one seed differ, first in {again!r}: draw all that is random from "
                "setup.seeds, as in setup.seeds.generator('name', step)"
            )
        raise BrokenError(
            f"it goes another way when nobody looks at it between the steps, first in {silent!r}: "
            "artifact(), learned() and state_dict() must change nothing, and step() may not rely "
            "on the model still being in the mode that it was left in"
        )
    if first_difference(expected, follow(case.subject.start(seed=1), n)) is None:
        raise BrokenError(
            "another seed gives the very same numbers: draw all that is random from setup.seeds"
        )
    return f"the same after {n} steps for the same seed, another for another"


def generators_are_left(case: Case) -> str:
    """The global generators are nobody's to touch."""
    touched = case.walk.touched
    if touched:  # once more: what a library does at its first import is no fault of the method
        with generators.seeded(
            generators.UNUSUAL + 1
        ):  # not the state that a fixed seed may have left
            again = case.subject.start()
            trail(again)
        touched = again.touched
    if touched:
        told = ", ".join(f"{name} ({when})" for name, when in touched.items())
        raise BrokenError(
            f"it draws from or seeds a global generator: {told}; draw from setup.seeds.generator, "
            "and where a library takes none, put the block under global_seed of datasets/seeds.py"
        )
    return f"{', '.join(generators.states())} are as they were"
