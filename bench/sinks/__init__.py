"""Other tools that a run can be shown in: each replays the events of a run directory."""

from augbench.bench.sinks.sink import SinkRow

_ROOM = "augbench.bench.sinks"
SINKS = {
    "tensorboard": SinkRow("tensorboard", f"{_ROOM}.tensorboard:TensorBoardSink"),
    "mlflow": SinkRow("mlflow-skinny", f"{_ROOM}.mlflow:MlflowSink"),
    "wandb": SinkRow("wandb", f"{_ROOM}.wandb:WandbSink"),
}
