"""The phases that the costs of a method are counted in."""

from typing import Literal

# "validate" is validation that steers: early stopping, the choice of an epoch, rewards. "evaluate"
# is scoring that steers nothing, "setup" what no method is charged: loading and compiling.
Phase = Literal["pretrain", "search", "validate", "retrain", "evaluate", "setup"]
