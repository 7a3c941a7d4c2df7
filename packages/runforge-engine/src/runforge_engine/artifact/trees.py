"""Checks on decision trees, because scikit-learn believes what is stored in one.

Its prediction follows child and feature indices without looking at bounds: with a wrong index it
reads memory that is not its own. Source: scikit-learn, ``tree/_tree.pyx``.
"""

from __future__ import annotations

import math
from array import array as numbers
from typing import NamedTuple, cast

from runforge_engine.artifact.arrays import column, is_finite, plain_numbers
from runforge_engine.artifact.dtypes import Dtype
from runforge_engine.artifact.findings import FindingCode, Refused
from runforge_engine.artifact.values import Array, Instance

_MOST_OUTPUTS = 1000
_LEAF, _NO_FEATURE = -1, -2
#: Fields of a node that decide where a sample goes, and numpy's kind of each.
_FIELDS = {"left_child": "i8", "right_child": "i8", "feature": "i8", "threshold": "f8"}


class TreeFacts(NamedTuple):
    """What there is to know about one tree that holds together."""

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
        Most nodes that are looked at.

    Raises
    ------
    Refused
        ``TREE_INVALID`` for the first thing that does not hold together, ``TREE_LIMIT``.
    """
    n_features, n_outputs = tree.args[0], tree.args[2]
    classes, state = _class_counts(tree.args[1]), tree.state or {}
    if type(n_features) is not int or type(n_outputs) is not int or len(classes) != n_outputs:
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
    fields = {field.name: field for field in nodes.dtype.fields}
    for name, kind in _FIELDS.items():
        if name not in fields or _kind(fields[name].dtype) != kind:
            raise _invalid(f"has nodes without {name}")
    left, right, feature = (
        cast("numbers[int]", column(nodes, fields[name]))
        for name in ("left_child", "right_child", "feature")
    )
    if not all(map(math.isfinite, column(nodes, fields["threshold"]))):
        raise _invalid("has thresholds that are not finite")
    total = len(left)
    # Children come after their parent in every tree that scikit-learn builds. With one parent
    # each, that makes it a tree: no cycle, nothing shared, nothing apart. The root's level is 1,
    # and 0 that of a node that nothing has led to so far.
    levels = [0] * total
    levels[0] = 1
    # A forest has millions of nodes, so the loop does no more than it must.
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
