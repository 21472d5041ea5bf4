"""What a sink holds, read by its tool's own means, as `from sink_readers import READERS`."""

import json
import struct
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple


class Shown(NamedTuple):
    """A trial in a sink."""

    points: dict[str, list[tuple[int, float]]]  # steps and values, by metric
    ended_well: bool | None  # None: it has not ended
    status: str  # "" where it has not ended
    policy: dict[str, Any] | None  # the best one
    parameters: dict[str, Any]
    seconds: dict[str, list[float]]  # the times of the points, by metric, since the first event


def in_tensorboard(run: Path) -> dict[str, Shown]:
    """The trials below the folder of event files, by task, method, fold and seed."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    folder = run / "logs" / "tensorboard"
    shown = {}
    for trial in {file.parent for file in folder.rglob("*tfevents*")}:
        events = EventAccumulator(str(trial), size_guidance={"scalars": 0, "tensors": 0}).Reload()
        scalars = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
        texts = {
            tag: [each.tensor_proto.string_val[0].decode() for each in events.Tensors(tag)]
            for tag in ("options", "status", "best policy")
            if tag in events.Tags()["tensors"]
        }
        hparams = events.summary_metadata
        begun, ended = plugin_data_pb2.HParamsPluginData(), plugin_data_pb2.HParamsPluginData()
        begun.ParseFromString(hparams["_hparams_/session_start_info"].plugin_data.content)
        if "_hparams_/session_end_info" in hparams:
            ended.ParseFromString(hparams["_hparams_/session_end_info"].plugin_data.content)
        options = begun.session_start_info.hparams
        assert len(texts["options"]) == 1
        shown[str(trial.relative_to(folder))] = Shown(
            {tag: [(each.step, each.value) for each in every] for tag, every in scalars.items()},
            {0: None, 1: True, 2: False}[ended.session_end_info.status],
            texts.get("status", [""])[-1],
            json.loads(texts["best policy"][-1].strip("`json\n"))
            if "best policy" in texts
            else None,
            {key: getattr(options[key], options[key].WhichOneof("kind")) for key in options},
            {
                tag: [each.wall_time - events.FirstEventTimestamp() for each in every]
                for tag, every in scalars.items()
            },
        )
    return shown


def _policy(texts: list[str]) -> dict[str, Any] | None:
    held = [json.loads(text.removeprefix("```json").removesuffix("```")) for text in texts]
    return held[-1] if held else None


def in_mlflow(run: Path) -> dict[str, Shown]:
    """The runs that are not deleted in the database of a run, or in that of a folder."""
    from augbench.bench.sinks import mlflow  # it turns telemetry off

    below = run / "logs" / "mlflow" / "mlflow.db"
    file = below if below.exists() else run / "mlflow.db"
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{file}")
    shown = {}
    for each in client.search_runs([e.experiment_id for e in client.search_experiments()]):
        tags = each.data.tags
        histories = {
            name: sorted(  # which come in no order
                client.get_metric_history(each.info.run_id, name), key=lambda metric: metric.step
            )
            for name in each.data.metrics
        }
        policies = [file.path for file in client.list_artifacts(each.info.run_id)]
        policy = None
        if "policy.json" in policies:
            folder = Path(each.info.artifact_uri.removeprefix("file://"))
            policy = json.loads((folder / "policy.json").read_text())
        ended = each.info.status in ("FINISHED", "FAILED")
        state, reason = tags["augbench.state"], tags["augbench.reason"]
        name = _name(**{k: tags[f"augbench.{k}"] for k in ("task", "method", "fold", "seed")})
        assert name not in shown
        shown[name] = Shown(
            {k: [(m.step, m.value) for m in every] for k, every in histories.items()},
            each.info.status == "FINISHED" if ended else None,
            (f"{state}: {reason}" if reason else state) if ended else "",
            policy,
            dict(each.data.params),
            {
                k: [(m.timestamp - each.info.start_time) / 1000 for m in every]
                for k, every in histories.items()
            },
        )
    return shown


def in_wandb(run: Path) -> dict[str, Shown]:
    """The offline runs, by task, method, fold and seed; two of one trial are an error."""
    shown = {}
    for file in sorted((run / "logs" / "wandb" / "wandb").glob("offline-run-*/*.wandb")):
        config: dict[str, Any] = {}
        summary: dict[str, Any] = {}
        points = defaultdict(list)
        code = None
        for record in _complete(file):
            kind = record.WhichOneof("record_type")
            if kind == "run":
                config |= {u.key: json.loads(u.value_json) for u in record.run.config.update}
            elif kind == "history":
                items = {(i.key or "/".join(i.nested_key)): i for i in record.history.item}
                row = {key: json.loads(item.value_json) for key, item in items.items()}
                for key in row:
                    if not key.startswith("_") and key != "step":
                        points[key].append((row["step"], row[key]))
            elif kind == "summary":
                for item in record.summary.update:
                    summary[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
            elif kind == "exit":
                code = record.exit.exit_code
        name = _name(**{k: config[k] for k in ("task", "method", "fold", "seed")})
        assert name not in shown, "two offline runs of one trial"
        policy = file.parent / "files" / "policy.json"
        state, reason = summary["state"], summary["reason"]
        ended = state not in ("running", "waiting")
        shown[name] = Shown(
            dict(points),
            code == 0 if ended else None,
            (f"{state}: {reason}" if reason else state) if ended else "",
            json.loads(policy.read_text()) if policy.exists() else None,
            config,
            {},  # its axis is chosen among the metrics
        )
    return shown


def _name(task: str, method: str, fold: int | str, seed: int | str) -> str:
    return f"{task}/{method}/fold {fold} seed {seed}"


def _complete(file: Path) -> list[Any]:
    """All records; W&B's own process writes the last of them after the run was ended."""
    end = time.monotonic() + 120
    while True:
        records = list(_records(file))
        if any(each.HasField("exit") for each in records) or time.monotonic() > end:
            return records
        time.sleep(0.1)


def _records(file: Path) -> Any:
    """The records of a W&B file: blocks of 32 KiB as in LevelDB's log, after 7 bytes."""
    from wandb.proto import wandb_internal_pb2

    content, place, whole = file.read_bytes(), 7, b""
    assert content[:4] == b":W&B"
    while place + 7 <= len(content):
        room = 32768 - place % 32768
        if room < 7:
            place += room
            continue
        _, length, kind = struct.unpack("<IHB", content[place : place + 7])
        if kind == 0:
            return
        whole += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            record = wandb_internal_pb2.Record()
            record.ParseFromString(whole)
            whole = b""
            yield record


READERS = {"tensorboard": in_tensorboard, "mlflow": in_mlflow, "wandb": in_wandb}
