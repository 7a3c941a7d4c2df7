"""``python -m ml_runner``: the entry point that editors call, a thin layer over the same engine.

Source: specification, sections 11.8, 14.8 and 16.4.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click
from runforge_cli.__main__ import conclude
from runforge_cli.process.process_exit import prepare_training, take
from runforge_cli.shell.click_group import CommandGroup


@click.group(cls=CommandGroup)
def cli() -> None:
    """Train and inspect on behalf of an editor."""


@cli.command("train")
@click.option("--preset", required=True, help="std-train or hq-train.")
@click.option("--out", required=True, metavar="DIR", help="Run folder to create.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1))
@click.option("--model", default="logistic_regression", metavar="FAMILY")
@click.option("--profile", metavar="P")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE")
@click.option("--name", metavar="S")
def train(
    preset: str,
    out: str,
    device: str,
    seed: int | None,
    model: str,
    profile: str | None,
    params: tuple[str, ...],
    name: str | None,
) -> int:
    """Train on the dataset that RUNFORGE_DATASET names; its label column is ``label``."""
    prepare_training()
    from runforge_cli import CLIENT
    from runforge_cli.commands.training_session import require, train_and_report
    from runforge_cli.shell.settings import Settings
    from runforge_contracts.store.layout import DEFAULT_STORE, StoreLayout, find_workspace
    from runforge_engine.modeling.configuration import family_for_editor, parse_parameters
    from runforge_engine.pipeline.execute import execute
    from runforge_engine.pipeline.request import new_request

    dataset = require(
        os.environ.get("RUNFORGE_DATASET"), "RUNFORGE_DATASET", "Set it to the dataset's path."
    )
    folder = Path(out).absolute()
    above = find_workspace(folder, DEFAULT_STORE)
    store = StoreLayout(above if above != folder else Path.cwd(), DEFAULT_STORE)
    parameters = parse_parameters(params)
    family, notes = family_for_editor(model, profile)
    request = new_request(
        dataset=dataset,
        label_column="label",
        store=store,
        created_by=CLIENT,
        model_family=family,
        preset=preset,
        profile=profile,
        hyperparameters=parameters,
        cli_parameters=parameters.keys(),
        seed=seed,
        device="gpu" if device == "cuda" else "cpu",
        name=name,
    )
    settings = Settings()
    settings.json = settings.verbose = True
    settings.workspace = str(store.workspace)
    return train_and_report(
        settings,
        lambda observer, cancellation: execute(
            request,
            store,
            folder=folder,
            notes=notes,
            observer=observer,
            cancellation=cancellation,
        ),
    )


@cli.command("inspect")
@click.option("--dataset", required=True, metavar="CSV")
@click.option("--label", metavar="COLUMN", default="label", show_default=True)
def inspect_dataset(dataset: str, label: str) -> int:
    """Print the columns and classes of a dataset as JSON."""
    from runforge_engine.runtime.numeric_environment import pin_environment

    pin_environment()
    from runforge_cli.terminal.output import write_json
    from runforge_engine.data import dataset_inspection

    report, code = dataset_inspection.inspect_dataset(dataset, label)
    write_json(report)
    return code


@cli.command("inspect-artifact")
@click.option("--artifact", required=True, metavar="PKL", help="Model file.")
def inspect_artifact(artifact: str) -> int:
    """Print the contents of a model file as JSON, without running any of its code."""
    from runforge_cli.terminal.output import write_json
    from runforge_engine.model_file.model_inspection import inspect_model

    inspection = inspect_model(Path(artifact))
    write_json(inspection.to_dict())
    return 0 if inspection.is_clean else 1


def main() -> NoReturn:
    """Run the entry point with the arguments of the process, then exit."""
    take()

    def call() -> int:
        return cli.main(sys.argv[1:], prog_name="python -m ml_runner", standalone_mode=False) or 0

    conclude(call, json=True)


if __name__ == "__main__":
    main()
