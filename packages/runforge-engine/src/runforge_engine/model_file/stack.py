"""Stack, marks, memo and containers of a pickle machine.

Only real containers may be changed: a real reader would call any method with that name of another
object. Source: Python, ``pickle._Unpickler``.
"""

from __future__ import annotations

from runforge_engine.model_file.limits import InspectionLimits
from runforge_engine.model_file.scan_findings import FindingCode, Findings, ReadingStopped
from runforge_engine.model_file.values import Mapping, Scalar, Set


class Stack:
    """The stack, marks and memo that operations change.

    Parameters
    ----------
    limits
        Limits on open marks and the memo.
    findings
        Collects operations that no model needs.
    """

    def __init__(self, limits: InspectionLimits, findings: Findings) -> None:
        self._limits = limits
        self._findings = findings
        self._stack: list[object] = []
        self._outer: list[list[object]] = []
        self._memo: dict[int, object] = {}
        self._numeric_keys = 0
        #: Offset of the current operation.
        self._start = 0

    def _mark(self) -> None:
        if len(self._outer) >= self._limits.depth:
            raise ReadingStopped(FindingCode.DEPTH_LIMIT, "Too many marks are open at once.")
        self._outer.append(self._stack)
        self._stack = []

    def _pop_mark(self) -> list[object]:
        items = self._stack
        self._stack = self._outer.pop()
        return items

    def _pop(self) -> None:
        if self._stack:
            del self._stack[-1]
        else:
            self._pop_mark()

    def _pop_to_mark(self) -> None:
        self._pop_mark()

    def _duplicate(self) -> None:
        self._stack.append(self._stack[-1])

    def _get(self, index: int) -> None:
        if index not in self._memo:
            raise ReadingStopped(FindingCode.MALFORMED, "The memo has no such entry.")
        self._stack.append(self._memo[index])

    def _put(self, index: int) -> None:
        if not 0 <= index < self._limits.memo_entries:
            raise ReadingStopped(FindingCode.MEMO_LIMIT, "The memo grows too large.")
        if index in self._memo:
            self._find(FindingCode.MEMO_OVERWRITTEN, "A memo entry is overwritten.")
        self._memo[index] = self._stack[-1]

    def _memoize(self) -> None:
        self._put(len(self._memo))

    def _tuple(self, length: int) -> None:
        if len(self._stack) < length:
            raise ReadingStopped(FindingCode.MALFORMED, "The stack holds too little.")
        start = len(self._stack) - length
        self._stack[start:] = [tuple(self._stack[start:])]

    def _tuple_to_mark(self) -> None:
        items = self._pop_mark()
        self._stack.append(tuple(items))

    def _list_to_mark(self) -> None:
        items = self._pop_mark()
        self._stack.append(items)

    def _dict_to_mark(self) -> None:
        items = self._pop_mark()
        mapping = Mapping()
        self._stack.append(mapping)
        self._set_items(items)

    def _frozenset_to_mark(self) -> None:
        items = self._pop_mark()
        self._stack.append(Set())
        self._add_items(items)

    def _append(self) -> None:
        value = self._stack.pop()
        self._extend([value])

    def _appends(self) -> None:
        self._extend(self._pop_mark())

    def _extend(self, items: list[object]) -> None:
        target = self._stack[-1]
        if isinstance(target, list):
            target.extend(items)
        else:
            self._refuse_operation("appended to")

    def _setitem(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set_items([key, value])

    def _setitems(self) -> None:
        self._set_items(self._pop_mark())

    def _set_items(self, items: list[object]) -> None:
        if len(items) % 2:
            raise ReadingStopped(FindingCode.MALFORMED, "A key of a dict has no value.")
        target = self._stack[-1]
        if not isinstance(target, Mapping):
            return self._refuse_operation("given items")
        for key in items[::2]:
            self._check_key(key)
        target.pairs.extend(zip(items[::2], items[1::2], strict=True))
        return None

    def _additems(self) -> None:
        self._add_items(self._pop_mark())

    def _add_items(self, items: list[object]) -> None:
        target = self._stack[-1]
        if not isinstance(target, Set):
            return self._refuse_operation("added to")
        for item in items:
            self._check_key(item)
        target.items.extend(items)
        return None

    def _check_key(self, key: object) -> None:
        if type(key) is not str:
            self._numeric_keys += 1
            if self._numeric_keys > self._limits.numeric_keys:
                raise ReadingStopped(
                    FindingCode.OPERATION_LIMIT,
                    f"More than {self._limits.numeric_keys:,} keys of dicts are no texts.",
                )
        if key is not None and not isinstance(key, str | int | float | Scalar):
            self._find(FindingCode.OPERATION_NOT_ALLOWED, "A dict or a set is keyed by an object.")

    def _refuse_operation(self, what: str) -> None:
        self._find(
            FindingCode.OPERATION_NOT_ALLOWED, f"Something is {what} that is not made for it."
        )

    def _find(self, code: FindingCode, message: str) -> None:
        self._findings.add(code, message, self._start)

    def _push_list(self) -> None:
        self._stack.append([])

    def _push_dict(self) -> None:
        self._stack.append(Mapping())

    def _push_set(self) -> None:
        self._stack.append(Set())
