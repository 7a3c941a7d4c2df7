"""Experiments: any training script as a recorded run.

A training script needs one name of this package, whose import costs a few milliseconds::

    from runforge_engine.experiment import current_run

    run = current_run()
    run.log_metric("loss", 0.25, step=3)

The other modules run experiments; import them only to run experiments.

Source: specification, chapter 17.
"""

from runforge_engine.experiment.tracking import CurrentRun, current_run, read_config

__all__ = ["CurrentRun", "current_run", "read_config"]
