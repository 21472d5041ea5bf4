"""A task is the same whenever and wherever it is built."""

import re

from augbench.methods.conformance.finding import BrokenError
from augbench.methods.conformance.other_process import digest_elsewhere
from augbench.methods.conformance.task_case import Case
from augbench.methods.conformance.task_digest import task_digest


def data_are_the_same_again(case: Case) -> str:
    """The same seed gives the same data, in another process too."""
    here, again = task_digest(case.task), task_digest(case.build())
    if here != again:
        raise BrokenError(
            "built a second time with the same seed it is another: draw from Seeds((seed, name)), "
            "and sort what has no order (files, sets)"
        )
    if not re.fullmatch("[0-9a-f]{16}", case.task.fingerprint):
        raise BrokenError(
            f"fingerprint is {case.task.fingerprint!r}; it has to be the 16 hex digits of "
            "fingerprint() in augbench/datasets/task.py"
        )
    elsewhere = digest_elsewhere(case.row, case.options, case.data, case.seed)
    if elsewhere is not None and elsewhere != here:
        raise BrokenError(
            "in another process it is another: sort what has no order (sets, files), and use no "
            "hash() of a text"
        )
    beside = "" if elsewhere is None else ", and in another process"
    return f"built twice{beside}, it is the same to the last bit"
