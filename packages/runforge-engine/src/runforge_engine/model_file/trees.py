"""Check decision trees, because scikit-learn trusts their stored values.

Prediction follows child and feature indices without checking bounds: with a wrong index it reads
memory out of bounds. Source: scikit-learn, ``tree/_tree.pyx``.
"""

from __future__ import annotations

from array import array as numbers
from itertools import zip_longest
from typing import NamedTuple, cast

from runforge_contracts.display import quote

from runforge_engine.model_file.arrays import are_finite, column, is_finite, plain_numbers
from runforge_engine.model_file.dtypes import Dtype
from runforge_engine.model_file.scan_findings import FindingCode, Refused
from runforge_engine.model_file.values import Array, Instance

_MOST_OUTPUTS = 1000
_LEAF, _NO_FEATURE = -1, -2
#: The fields of a node in order, with numpy's kind and the offset of each, and the size of a node.
#: The library compares the names in any order and then converts the fields by position.
#: Source: scikit-learn 1.3 to 1.9, ``tree/_tree.pyx``, ``NODE_DTYPE``.
_NODE = (
    ("left_child", "i8", 0),
    ("right_child", "i8", 8),
    ("feature", "i8", 16),
    ("threshold", "f8", 24),
    ("impurity", "f8", 32),
    ("n_node_samples", "i8", 40),
    ("weighted_n_node_samples", "f8", 48),
    ("missing_go_to_left", "u1", 56),
)
_NODE_SIZE = 64


class TreeFacts(NamedTuple):
    """The facts about one consistent tree."""

    node_count: int
    max_depth: int
    n_features: int


def check_tree(tree: Instance, limit: int) -> TreeFacts:
    """Return the facts of a tree.

    Parameters
    ----------
    tree
        ``sklearn.tree._tree.Tree(n_features, n_classes, n_outputs)`` with its state.
    limit
        Maximum number of nodes that are checked.

    Raises
    ------
    Refused
        ``TREE_INVALID`` for the first inconsistency, ``TREE_LIMIT``.
    """
    n_features, n_outputs = tree.args[0], tree.args[2]
    classes, state = _class_counts(tree.args[1]), tree.state or {}
    if type(n_features) is not int or not 0 < n_features < 2**31:
        raise _invalid("has a number of features that is none")
    if type(n_outputs) is not int or len(classes) != n_outputs:
        raise _invalid("has another number of outputs than of class counts")
    if set(state) != {"max_depth", "node_count", "nodes", "values"}:
        raise _invalid("has unknown attributes")
    nodes, values, total = state["nodes"], state["values"], state["node_count"]
    if not isinstance(nodes, Array) or not isinstance(values, Array) or type(total) is not int:
        raise _invalid("has no nodes")
    if nodes.shape != (total,) or total < 1:
        raise _invalid("has another number of nodes than it says")
    if total > limit:
        raise Refused(FindingCode.TREE_LIMIT, f"A tree has more than {limit:,} nodes.")
    if values.shape != (total, n_outputs, max(classes)) or _kind(values.dtype) != "f8":
        raise _invalid("has values of another shape than its nodes")
    if not is_finite(values):
        raise _invalid("has values that are not finite")
    depth = _check_nodes(nodes, n_features)
    if state["max_depth"] != depth:
        raise _invalid("has another depth than it says")
    return TreeFacts(total, depth, n_features)


def _check_nodes(nodes: Array, n_features: int) -> int:
    """Check the nodes and return the depth of the tree."""
    _check_fields(nodes.dtype)
    columns = {field.name: column(nodes, field) for field in nodes.dtype.fields}
    left, right, feature, samples = (
        cast("numbers[int]", columns[name])
        for name in ("left_child", "right_child", "feature", "n_node_samples")
    )
    if not are_finite(columns["threshold"]):
        raise _invalid("has thresholds that are not finite")
    if not are_finite(columns["impurity"]) or not are_finite(columns["weighted_n_node_samples"]):
        raise _invalid("has impurities or weights that are not finite")
    if min(samples) < 1 or max(columns["missing_go_to_left"]) > 1:
        raise _invalid("has a node of no samples or of an unknown direction")
    total = len(left)
    # Children come after their parent in every tree that scikit-learn builds. With one parent
    # each, it is a tree: no cycle, no shared and no separate nodes. The root's level is 1,
    # and 0 is the level of a node that no parent has referred to so far.
    levels = [0] * total
    levels[0] = 1
    # A forest has millions of nodes, so the loop is kept minimal.
    for node, (first, second, test) in enumerate(zip(left, right, feature, strict=True)):
        if first == _LEAF:
            if second != _LEAF or test != _NO_FEATURE:
                raise _invalid("has a leaf that is not one")
            continue
        if not (node < first < total and node < second < total):
            raise _invalid("has a child index out of range")
        if not 0 <= test < n_features:
            raise _invalid("has a feature index out of range")
        if first == second or levels[first] or levels[second]:
            raise _invalid("has a node with two parents")
        levels[first] = levels[second] = levels[node] + 1
    if 0 in levels:
        raise _invalid("has a node that nothing leads to")
    return max(levels) - 1


def _check_fields(dtype: Dtype) -> None:
    """Refuse nodes with fields that differ from those that the library expects."""
    found = tuple((field.name, _kind(field.dtype), field.offset) for field in dtype.fields)
    for expected, actual in zip_longest(_NODE, found):
        if expected != actual:
            raise _invalid(f"has nodes with {_field(actual)} where {_field(expected)} belongs")
    if dtype.itemsize != _NODE_SIZE:
        raise _invalid(f"has nodes of {dtype.itemsize} bytes instead of {_NODE_SIZE}")
    if len({field.dtype.order for field in dtype.fields if field.dtype.itemsize > 1}) > 1:
        raise _invalid("has nodes of two orders of bytes")


def _field(field: tuple[str, str, int] | None) -> str:
    if field is None:
        return "no field"
    name, kind, offset = field
    return f"{quote(name)} ({kind} at byte {offset})"


def _class_counts(value: object) -> list[int]:
    """Return the number of classes for each output."""
    if not isinstance(value, Array) or len(value.shape) != 1 or _kind(value.dtype) != "i8":
        raise _invalid("has no class counts")
    if value.size > _MOST_OUTPUTS:
        raise _invalid("has too many outputs")
    counts = [int(number) for number in plain_numbers(value)]
    if not counts or min(counts) < 1:
        raise _invalid("has no classes")
    return counts


def _kind(dtype: Dtype) -> str:
    """Return a type without its byte order."""
    return f"{dtype.kind}{dtype.itemsize}"


def _invalid(what: str) -> Refused:
    return Refused(FindingCode.TREE_INVALID, f"A decision tree {what}.")
