"""The command that reads policies of other software."""

import json
from pathlib import Path
from typing import Annotated

import typer

from augbench.bench.cli.arguments import starts_with


def readable_forms() -> list[str]:
    """The forms that policies can be read from."""
    from augbench.methods.policies.exchange import FORMS

    return [name for name, form in FORMS.items() if form.read]


def import_policy(
    file: Annotated[Path, typer.Argument(help="A file, which is read and never executed.")],
    form: Annotated[
        str,
        typer.Option(
            "--from", help="Whose policy it is.", autocompletion=starts_with(readable_forms)
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="Which policy, where a file holds several.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The new file.  [default: print it]")
    ] = None,
) -> None:
    """Read a policy of other software, and write it as augbench's JSON.

    \b
    augbench import genotype.py --from dada --name CIFAR10 -o policy.json
    augbench import archive.py --from fast-autoaugment --name fa_reduced_cifar10 -o policy.json
    augbench import policy.json --from albumentations -o mine.json

    It says what is lost, and what was checked.
    """
    from augbench.bench.cli.policy_reports import check_out, write_text
    from augbench.methods.policies.exchange import convert

    check_out(out)
    record, report = convert.import_policy(file, form, name)
    write_text(json.dumps(record, indent=1) + "\n", report, out)
