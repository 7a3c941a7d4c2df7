"""The ONNX model of a fitted pipeline: labels and scores of rows of doubles.

A linear model computes in doubles. A forest compares as scikit-learn does: the scaled row is
rounded to float32, and no threshold is rounded across a value. The shares in its leaves and its
probabilities are float32, which is all that the operator ``TreeEnsembleClassifier`` has.

Source: ONNX specification, operators 18 and ``ai.onnx.ml`` 1; sklearn-onnx documentation, "Issues
when switching to float".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runforge_engine.modeling.revalidate import score_method

#: Operators that runtimes have known since 2023.
_OPSET = 18
#: Names of the input and of the two outputs; the scores are probabilities, or decision values.
INPUT, LABEL, PROBABILITIES, DECISION = "X", "label", "probabilities", "decision_values"
_LABEL_OF_SUMS = "label_of_sums"
#: Names that the ONNX specification gives to metadata.
_STANDARD = {"license": "model_license", "author": "model_author"}


class OnnxModel:
    """The ONNX model of a pipeline of a scaler and a classifier.

    Its input is one tensor of doubles of shape (n_samples, n_features). Its outputs are the labels,
    as integers or strings, and the scores of shape (n_samples, n_classes).

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Fitted.
    """

    def __init__(self, pipeline: Any) -> None:
        import numpy as np
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import DoubleTensorType
        from skl2onnx.sklapi import CastTransformer
        from sklearn.pipeline import make_pipeline

        scaler, classifier = pipeline
        # Without the first, ONNX would compare doubles, where scikit-learn compares float32;
        # without the second, it would also add the shares of the trees in float32.
        forest = hasattr(classifier, "estimators_")
        casts = [CastTransformer(dtype=kind) for kind in (np.float32, np.float64) if forest]
        probabilities = score_method(pipeline) == "predict_proba"
        self._model = to_onnx(
            make_pipeline(scaler, *casts, classifier),
            name="runforge",
            initial_types=[(INPUT, DoubleTensorType([None, scaler.n_features_in_]))],
            options={id(classifier): {"zipmap": False} if probabilities else {"raw_scores": True}},
            target_opset=_OPSET,
        )
        if forest:
            _most_probable(self._model.graph, classifier.classes_)
        # The library has them in the order of a set of strings.
        self._model.opset_import.sort(key=lambda item: item.domain)
        label, scores = self._model.graph.output
        _rename(self._model.graph, label.name, LABEL)
        _rename(self._model.graph, scores.name, PROBABILITIES if probabilities else DECISION)
        # The library states one column for two classes without probabilities, and writes two.
        scores.type.tensor_type.shape.dim[1].dim_value = len(classifier.classes_)

    def predict(self, X: Any) -> tuple[Any, Any]:
        """Return the labels and the scores of rows, as ONNX Runtime computes them."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # Several threads would sum the trees in another order.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            self._model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        labels, scores = session.run(None, {INPUT: X})
        return labels, scores

    def to_bytes(self, stated: Mapping[str, Any]) -> bytes:
        """Return the file, with what RunForge states of the model as its metadata.

        Strings are stated as they are, anything else as JSON.
        """
        for name, value in stated.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            key = _STANDARD.get(name, f"runforge.{name}")
            self._model.metadata_props.add(key=key, value=text)
        data: bytes = self._model.SerializeToString(deterministic=True)
        return data


def _most_probable(graph: Any, classes: Any) -> None:
    """Let the label of a forest be the first of the most probable classes.

    The operator compares sums that are not rounded: of two classes that five trees of ten vote for
    it takes the second, because the double of a tenth as float32 is above a tenth.
    """
    from onnx import helper, numpy_helper

    label, probabilities = (output.name for output in graph.output)
    _rename(graph, label, _LABEL_OF_SUMS)
    graph.output[0].name = label
    known = classes.astype(object if classes.dtype.kind == "U" else "int64")
    graph.initializer.append(numpy_helper.from_array(known, "classes"))
    graph.node.extend(
        [
            helper.make_node("ArgMax", [probabilities], ["position"], axis=1, keepdims=0),
            helper.make_node("Gather", ["classes", "position"], [label], axis=0),
        ]
    )


def _rename(graph: Any, old: str, new: str) -> None:
    """Give a value of a graph another name."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
    for output in graph.output:
        if output.name == old:
            output.name = new
