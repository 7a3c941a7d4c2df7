"""Compare two fitted pipelines: settings, learned numbers, predictions.

Both are loaded by the engine's own loader, which reads only the model files of the two records.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runforge_contracts.display import quote

from runforge_engine.modeling.fit import within_range
from runforge_engine.reproduction.reproduction_findings import TOLERANCE

#: Learned attributes of the steps that affect predictions.
_LEARNED = {
    "scaler": ("mean_", "scale_"),
    "clf": ("coef_", "intercept_", "feature_importances_"),
}
#: Settings that do not change the output of a model.
_IRRELEVANT = frozenset({"n_jobs", "verbose"})


def compare_models(recorded: Any, rebuilt: Any, X: Any) -> dict[str, Any]:
    """Return the differences between two models, as JSON values.

    Parameters
    ----------
    recorded, rebuilt : Pipeline
        Fitted pipelines with RunForge's two steps.
    X : ndarray of shape (n_samples, n_features)
        Rows to predict.

    Returns
    -------
    dict
        ``settings``, a list of ``field``, ``recorded`` and ``here``; ``parameters`` and
        ``predictions`` as in the schema ``reproduction.v1``; or ``reason``, if the models cannot
        be compared.
    """
    settings = list(_settings(recorded, rebuilt))
    reason = _unlike(recorded, rebuilt, X)
    if reason is not None:
        return {"settings": settings, "reason": reason}
    return {
        "settings": settings,
        "parameters": _compare_learned(recorded, rebuilt),
        "predictions": _compare_predictions(recorded, rebuilt, X),
    }


def _settings(recorded: Any, rebuilt: Any) -> Iterator[dict[str, Any]]:
    for name, left in recorded.named_steps.items():
        right = rebuilt.named_steps[name]
        pairs = {"": (type(left).__name__, type(right).__name__)}
        ours, theirs = left.get_params(deep=False), right.get_params(deep=False)
        for parameter in ours.keys() & theirs.keys() - _IRRELEVANT:
            pairs[f".{parameter}"] = (ours[parameter], theirs[parameter])
        for suffix, (one, other) in sorted(pairs.items()):
            if one != other:
                yield {"field": name + suffix, "recorded": _plain(one), "here": _plain(other)}


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str | None) else quote(value)


def _unlike(recorded: Any, rebuilt: Any, X: Any) -> str | None:
    left, right = recorded.named_steps, rebuilt.named_steps
    if type(left["clf"]) is not type(right["clf"]):
        return "The models are of different families."
    names = [list(side["scaler"].feature_names_in_) for side in (left, right)]
    if names[0] != names[1] or len(names[0]) != X.shape[1]:
        return "The models were trained on different columns."
    if left["clf"].classes_.tolist() != right["clf"].classes_.tolist():
        return "The models know different classes."
    return None


def _compare_learned(recorded: Any, rebuilt: Any) -> dict[str, Any]:
    import numpy as np

    compared, largest, place = [], 0.0, None
    features = list(recorded.named_steps["scaler"].feature_names_in_)
    classes = recorded.named_steps["clf"].classes_.tolist()
    for step, attributes in _LEARNED.items():
        for attribute in attributes:
            pair = [
                np.asarray(getattr(side.named_steps[step], attribute), dtype=np.float64)
                for side in (recorded, rebuilt)
                if hasattr(side.named_steps[step], attribute)
            ]
            if not pair:
                continue
            compared.append(f"{step}.{attribute}")
            apart = np.abs(pair[0] - pair[1]) / np.maximum(1.0, np.abs(pair[0]))
            # A value that is not a number counts as infinitely far away.
            apart = np.nan_to_num(apart, nan=np.inf).clip(max=np.finfo(np.float64).max)
            if apart.max() > largest:
                at = np.unravel_index(int(apart.argmax()), apart.shape)
                largest = float(apart[at])
                place = f"{step}.{attribute}[{_label(attribute, at, features, classes)}]"
    result = {"compared": compared, "tolerance": TOLERANCE, "largest_difference": largest}
    return result if place is None else {**result, "place": place}


def _label(
    attribute: str, at: Sequence[Any], features: Sequence[str], classes: Sequence[Any]
) -> str:
    """Return the class and feature at an index; two classes have one row, for the greater."""
    rows = classes if len(classes) > 2 else classes[1:]
    if attribute == "intercept_":
        return str(rows[at[0]])
    if attribute == "coef_":
        return f"{rows[at[0]]}, {features[at[1]]}"
    return str(features[at[0]])


def _compare_predictions(recorded: Any, rebuilt: Any, X: Any) -> dict[str, Any]:
    import numpy as np

    X = within_range(recorded, X)
    differing = int(np.count_nonzero(recorded.predict(X) != rebuilt.predict(X)))
    method = "predict_proba" if hasattr(recorded, "predict_proba") else "decision_function"
    scores = [getattr(side, method)(X) for side in (recorded, rebuilt)]
    apart = float(np.max(np.abs(scores[0] - scores[1])))
    return {
        "rows": len(X),
        "differing_rows": differing,
        **({"largest_score_difference": apart} if np.isfinite(apart) else {}),
    }
