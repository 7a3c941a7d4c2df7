"""``python -m ml_runner``: the entry point that editors call, a thin layer over the same engine.

Source: specification, sections 11.8, 14.8 and 16.4.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click
from runforge_cli.__main__ import conclude
from runforge_cli.process.process_exit import take
from runforge_cli.shell.click_group import CommandGroup


@click.group(cls=CommandGroup)
def cli() -> None:
    """Train and inspect on behalf of an editor."""


_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@cli.command("train")
@click.option("--preset", required=True, help="std-train or hq-train.")
@click.option("--out", required=True, metavar="DIR", help="The editor's folder for the run.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1))
@click.option("--model", default="logistic_regression", metavar="FAMILY")
@click.option("--profile", metavar="P")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE")
@click.option("--name", metavar="S")
@_json_option
def train(
    preset: str,
    out: str,
    device: str,
    seed: int | None,
    model: str,
    profile: str | None,
    params: tuple[str, ...],
    name: str | None,
    as_json: bool,
) -> int:
    """Train on the dataset that RUNFORGE_DATASET names.

    Its label column is ``label``, or that of the recipe that RUNFORGE_RECIPE names.
    """
    from ml_runner.early_cancel import mark_early_cancellation

    mark_early_cancellation(out)
    from ml_runner.editor_training import TrainingArguments, train_for_editor

    arguments = TrainingArguments(
        dataset=os.environ.get("RUNFORGE_DATASET"),
        recipe=os.environ.get("RUNFORGE_RECIPE"),
        preset=preset,
        out=out,
        device="gpu" if device == "cuda" else "cpu",
        seed=seed,
        model=model,
        profile=profile,
        params=params,
        name=name,
    )
    return train_for_editor(arguments, as_json=as_json)


@cli.command("inspect")
@click.option("--dataset", required=True, metavar="CSV")
@click.option("--label", metavar="COLUMN", default="label", show_default=True)
@_json_option
def inspect_dataset(dataset: str, label: str, as_json: bool) -> int:
    """Print the columns of a dataset; with --json everything that ``runforge inspect`` finds."""
    from ml_runner.editor_inspection import print_dataset

    return print_dataset(dataset, label, as_json=as_json)


@cli.command("inspect-artifact")
@click.option("--artifact", required=True, metavar="PKL", help="Model file.")
@click.option("--base-path", metavar="DIR", help="Folder that the printed path is relative to.")
@_json_option
def inspect_artifact(artifact: str, base_path: str | None, as_json: bool) -> int:
    """Print the contents of a model file as JSON, without running any of its code."""
    from ml_runner.editor_inspection import print_artifact

    return print_artifact(artifact, base_path)


@cli.command("metadata")
@click.option("--latest", is_flag=True, help="The newest run that completed.")
@click.option("--run-id", metavar="ID", help="The run with this id, or in a folder of this name.")
@click.option("--runforge-dir", metavar="DIR", help="Folder of the store.")
@_json_option
def metadata(latest: bool, run_id: str | None, runforge_dir: str | None, as_json: bool) -> int:
    """Print the ``run.json`` of a run."""
    from ml_runner.editor_inspection import print_metadata

    return print_metadata(run_id, runforge_dir, latest=latest)


def main() -> NoReturn:
    """Run the entry point with the arguments of the process, then exit."""
    take()

    def call() -> int:
        return cli.main(sys.argv[1:], prog_name="python -m ml_runner", standalone_mode=False) or 0

    def report(problem: BaseException) -> int:
        from ml_runner.editor_output import report_failure_as_text

        return report_failure_as_text(problem)

    conclude(call, json="--json" in sys.argv[1:], report=report)


if __name__ == "__main__":
    main()
