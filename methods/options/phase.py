"""The phases that the costs of a method are counted in."""

from typing import Literal

Phase = Literal["pretrain", "search", "retrain", "evaluate"]
