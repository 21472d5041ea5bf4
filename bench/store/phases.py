"""The phases that a ledger counts costs in, and which of them a method is charged."""

from typing import Literal, get_args

from augbench.methods.options.phase import Phase

# The phases of a method, and one of the harness: writing checkpoints and results.
HarnessPhase = Phase | Literal["store"]
CHARGED: tuple[HarnessPhase, ...] = ("pretrain", "search", "validate", "retrain")
PHASES: tuple[HarnessPhase, ...] = (*get_args(Phase), "store")
