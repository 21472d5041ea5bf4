"""The command that takes a policy out of a run, for augbench or for other software."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from augbench.bench.cli.arguments import starts_with
from augbench.datasets.errors import UserError


def writable_forms() -> list[str]:
    """The forms that policies can be written in, beside our own."""
    from augbench.methods.policies.exchange import FORMS

    return [name for name, form in FORMS.items() if form.write]


def export(
    source: Annotated[Path, typer.Argument(help="A run directory, or a policy's file.")],
    task: Annotated[str | None, typer.Option(help="A task: its label in the suite.")] = None,
    method: Annotated[str | None, typer.Option(help="A method: its label in the suite.")] = None,
    fold: Annotated[
        str | None, typer.Option(help="A fold, or best: that of the best validation.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="A seed of the suite.")] = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="Software to write for.  [default: augbench's JSON]",
            autocompletion=starts_with(writable_forms),
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The new file.  [default: print it]")
    ] = None,
) -> None:
    """Write the best policy of a trial to a file, for augbench or for other software (--to).

    \b
    augbench export runs/mine --method dada --fold best -o policy.json
    augbench export runs/mine --method dada --fold 0 --to kornia -o policy.py
    augbench export policy.json --to torchvision

    It says what is lost, and what was checked. Leave out --task, --method, --fold or --seed where
    the run has only one.
    """
    from augbench.bench.cli.policy_reports import check_out, write_text
    from augbench.methods.policies.exchange.convert import Report, export_policy
    from augbench.methods.policies.policy_file import read_policy, write_policy

    check_out(out)
    record = _record(source, task, method, fold, seed)
    try:
        policy = read_policy(record)
    except UserError as error:
        raise UserError(f"{source}: {error}") from error
    if to is None:
        text, report = json.dumps(write_policy(policy), indent=1) + "\n", Report([], [])
    else:
        text, report = export_policy(policy, to, record.get("imported"))
    write_text(text, report, out)


def _record(
    source: Path, task: str | None, method: str | None, fold: str | None, seed: int | None
) -> dict[str, Any]:
    """What a policy's file holds, or the record of a run's trial."""
    from augbench.bench.store.best_policies import find_policy
    from augbench.methods.policies.policy_file import load_record

    number = None if fold is None or fold == "best" else _whole(fold)
    if not source.is_dir():
        held: dict[str, Any] = load_record(source, task=task, method=method, fold=fold, seed=seed)
        return held
    return find_policy(
        source, task=task, method=method, fold="best" if fold == "best" else number, seed=seed
    )


def _whole(fold: str) -> int:
    try:
        return int(fold)
    except ValueError:
        raise UserError(f"--fold is {fold!r}; it has to be a number, or best") from None
