"""Verify all evaluations of a store.

Source: specification, section 21.5.
"""

from __future__ import annotations

from collections.abc import Iterator

from runforge_contracts.invariants.evaluation_invariants import (
    link_findings,
    read_document,
    run_beside,
)
from runforge_contracts.store.evaluations import list_evaluations

from runforge_engine.modeling.model_process import ModelProcess
from runforge_engine.verification.check_result import Check, CheckVerdict, count
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.verify_evaluation import (
    EvaluationVerification,
    verify_evaluation,
)


def verify_evaluations(
    around: Surroundings, *, with_dataset: bool
) -> tuple[EvaluationVerification, ...]:
    """Verify all evaluations of the store ``around``."""
    store = around.store
    assert store is not None  # noqa: S101 - of a store
    verified = []
    with ModelProcess() as process:
        for evaluation in list_evaluations(store):
            document = read_document(evaluation).raw
            run = None if document is None else run_beside(document, store)
            verified.append(
                verify_evaluation(
                    evaluation,
                    around,
                    run,
                    ((entry, store) for entry in around.entries or ()),
                    with_dataset=with_dataset,
                    alone=False,
                    process=process,
                )
            )
    return tuple(verified)


def evaluation_checks(
    evaluations: tuple[EvaluationVerification, ...], around: Surroundings
) -> Iterator[Check]:
    """Yield the check of the evaluations as a whole, if there are any."""
    assert around.store is not None  # noqa: S101 - of a store
    links, total = tuple(link_findings(around.store)), len(evaluations)
    if not evaluations and not links:
        return
    verified = sum(item.holds for item in evaluations)
    message = f"{verified:,} of {count(total, 'evaluation')} verified"
    forgotten = {
        run_id for run_id, line in around.removals.current.items() if line["action"] == "forgotten"
    }
    if of_forgotten := sum(item.run_id in forgotten for item in evaluations):
        message += f"; note: {of_forgotten:,} of forgotten runs"
        unsigned = sum(item.run_id in forgotten and item.signature is None for item in evaluations)
        if unsigned and around.public_keys:
            message += f", {unsigned:,} of them without a signature"
    if links:
        yield Check.failed("evaluations", CheckVerdict.INCOMPLETE, message, links)
    elif verified < total:
        yield Check.failed("evaluations", CheckVerdict.NOT_VERIFIED, message)
    else:
        yield Check.passed("evaluations", CheckVerdict.VERIFIED, message)
