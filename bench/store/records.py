"""What the files of a unit hold. Each record is checked when it is read."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from augbench.bench.store.phases import PHASES, HarnessPhase

# Other keys are kept: methods and later versions add some.
_CHECKED = ConfigDict(strict=True, extra="allow")

Count = Annotated[int, Field(ge=0, le=2**53)]
Seconds = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Metric = Annotated[float, Field(allow_inf_nan=False)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
UnitState = Annotated[str, Field(pattern=r"(?s)^(done|over budget|diverged(: .*)?)$")]


class CostRecord(TypedDict):
    """A `Cost` of bench/store/ledger.py."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    seconds: Seconds
    cpu_seconds: Seconds
    steps: Count
    forward: Count
    backward: Count


Costs = Annotated[dict[HarnessPhase, CostRecord], Field(min_length=len(PHASES))]


class LearnedOperation(TypedDict):
    """An operation of an augmentation layer; its numbers may be infinite or NaN."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    transform: str
    weight: float
    magnitude: float
    value: float
    unit: str


class Learned(TypedDict, total=False):
    """What `Method.learned` gives: whatever a method likes, and these where it has them."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    best_valid: float
    loss: float
    layers: list[list[LearnedOperation]]


class PointRow(TypedDict):
    """A line of points.jsonl: an artifact, and all costs up to it."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    point: Annotated[int, Field(ge=1, le=2**53)]
    step: Count
    learned: Learned
    costs: Costs


class ModelRow(PointRow):
    """A model, scored."""

    kind: Literal["model"]
    metric: str
    valid: Metric
    test: NotRequired[Metric]  # missing in a search, which never scores the test split


class PolicyRow(PointRow):
    """A policy, which an evaluation scores."""

    kind: Literal["policy"]
    policy: Digest
    policy_record: Digest  # of the whole file, which also holds what magnitude 1 means
    shares: dict[str, Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]]


class AskedRecord(TypedDict):
    """A line of samplings.jsonl: a `Proposal` of methods/training/sampling.py, and its batch."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    batch: Count  # the number of its first proposal
    number: Count
    slots: list[Annotated[list[str | float], Field(min_length=3, max_length=3)]]


class ReachedRecord(TypedDict):
    """A `Reached` of methods/training/sampling.py."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    value: Metric
    n_epochs: Count
    diverged: bool


class WastedRecord(TypedDict):
    """A `Wasted` of bench/store/attempt.py."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    seconds: Seconds
    attempts: Count


class ExampleCounts(TypedDict):
    """How many examples a fold has."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    seen: Count  # to train and to validate
    test: Count


class Result(TypedDict):
    """result.json."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    state: UnitState
    attempt: Annotated[int, Field(ge=1, le=10**9)]
    steps: Count
    points: Count
    points_digest: str  # of the lines of points.jsonl
    costs: Costs
    wasted: WastedRecord
    weights: str  # digest of the best weights; "" where no model was shown
    model_digest: str  # of the file that holds them; likewise
    # Of the file of what they predict on the test split; "" in a search, missing in older runs.
    predictions_digest: NotRequired[str]
    device: str
    shared: bool
    metric: str
    fingerprint: str
    n_examples: NotRequired[ExampleCounts]  # missing in older runs
    reached: NotRequired[ReachedRecord]  # of a sampling
    elsewhere: NotRequired[Costs]  # the part of `costs` that samplings of the trial have spent
    taken: NotRequired[list[Count]]  # numbers of these samplings; missing in older runs
    record_digest: str  # of all of the above


class StartEvent(TypedDict):
    """The first line of log.jsonl."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    event: Literal["start"]
    time: float
    shared: bool
    device: str
    threads: Annotated[int, Field(ge=1)]
    host: str
    process: int


class ResumeEvent(TypedDict):
    """From where an attempt goes on, and what was lost before it."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    event: Literal["resume"]
    step: Count
    kept: Seconds
    fingerprint: str
    seconds: Seconds  # wasted
    attempts: Count  # likewise


class EndEvent(TypedDict):
    """The last line of an attempt that was not killed."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    event: Literal["end"]
    time: float
    measured: NotRequired[float]
    lived: NotRequired[Seconds]
    paused: NotRequired[bool]
    joules: NotRequired[dict[str, Seconds]]
    error: NotRequired[str]
    reason: NotRequired[str]


class Pulse(TypedDict, total=False):
    """pulse.json."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    time: Metric
    lived: Seconds
    joules: dict[str, Seconds]
    step: Count
    phase: str
    charged_seconds: Seconds
    elsewhere_seconds: Seconds  # the part of them that samplings have spent
    best_valid: Metric | None


class Rung(TypedDict):
    """rung.json."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    step: Count


class Failure(TypedDict):
    """failure.json."""

    __pydantic_config__ = _CHECKED  # type: ignore[misc]

    reason: str


class PluginRecord(TypedDict):
    """A `Plugin` of datasets/plugins.py."""

    group: str
    name: str
    value: str
    package: str
    version: str
    code: str


class Plugins(TypedDict):
    """plugins.json."""

    plugins: list[PluginRecord]


Row = dict[str, Any]  # a ModelRow or a PolicyRow


def _adapter(form: Any) -> TypeAdapter[dict[str, Any]]:
    """Reads records of a form as plain dictionaries."""
    return TypeAdapter(form)


POINT_ROW = _adapter(Annotated[ModelRow | PolicyRow, Field(discriminator="kind")])
EVENT = _adapter(Annotated[StartEvent | ResumeEvent | EndEvent, Field(discriminator="event")])
RESULT = _adapter(Result)
PULSE = _adapter(Pulse)
RUNG = _adapter(Rung)
FAILURE = _adapter(Failure)
PLUGINS = _adapter(Plugins)
ASKED = _adapter(AskedRecord)
SENTENCES: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
