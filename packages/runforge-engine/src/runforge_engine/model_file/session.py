"""State that the pickle machines of one inspection share."""

from __future__ import annotations

from collections import Counter

from runforge_contracts.display import quote

from runforge_engine.model_file.allowlist import ALLOWED, Role
from runforge_engine.model_file.byte_source import Blob
from runforge_engine.model_file.limits import Watch
from runforge_engine.model_file.scan_findings import FindingCode, Findings, ReadingStopped
from runforge_engine.model_file.values import Array, Global, Instance

#: Number of operations between two checks of the time.
_OPERATIONS_PER_LOOK = 1024
#: Number of bytes by which arrays and bytes may exceed the size of the file.
_SLACK = 2**20
_PARTS = (Role.ESTIMATOR, Role.TREE)


class Reading:
    """The watch, the findings and the names that a file imports.

    With ``joblib``, its arrays are skipped; otherwise the file is read as a plain pickle.
    """

    def __init__(
        self, watch: Watch, findings: Findings, *, joblib: bool = True, size: int = 0
    ) -> None:
        #: Size of the stream in bytes.
        self.size = size
        self.watch = watch
        self.findings = findings
        self.joblib = joblib
        #: Number of joblib arrays found so far.
        self.wrapped_arrays = 0
        #: The names in the order of their first import, with the number of imports of each.
        self.globals: dict[tuple[str, str], Global] = {}
        self.counts = Counter[tuple[str, str]]()
        #: Estimators and trees in the order of creation.
        self.made: list[Instance] = []
        self._copied = 0
        self._operations = 0
        self._next_look = _OPERATIONS_PER_LOOK

    def count_operation(self) -> None:
        """Stop if there are too many operations, or the time limit is reached."""
        self._operations += 1
        if self._operations < self._next_look:
            return
        self._next_look += _OPERATIONS_PER_LOOK
        self.watch.check_time()
        if self._operations > self.watch.limits.operations:
            raise ReadingStopped(
                FindingCode.OPERATION_LIMIT,
                f"The file has more than {self.watch.limits.operations:,} operations.",
            )

    def note_made(self, value: object) -> None:
        """Record the result of a call, and stop if copies of the same bytes exceed the limit."""
        if isinstance(value, Instance) and ALLOWED.get(value.cls.pair) in _PARTS:
            self.made.append(value)
        elif isinstance(value, Array):
            self._copied += value.size * value.dtype.itemsize
        elif isinstance(value, Blob):
            self._copied += value.length
        if self._copied > self.size + _SLACK:
            raise ReadingStopped(
                FindingCode.ARRAY_LIMIT, "The same bytes are made into arrays over and over."
            )

    def ask_for(self, module: str, name: str, offset: int) -> Global:
        """Return the record of a name, and check the name at its first use."""
        pair = (module, name)
        self.counts[pair] += 1
        if pair in self.globals:
            return self.globals[pair]
        found = self.globals[pair] = Global(module, name, offset)
        if pair not in ALLOWED:
            self.findings.add(
                FindingCode.GLOBAL_NOT_ALLOWED,
                f"The file asks for {quote(f'{module}.{name}', 120)}, which no model needs.",
                offset,
            )
        if len(self.globals) > self.watch.limits.names:
            raise ReadingStopped(
                FindingCode.NAME_LIMIT, "The file asks for more names than are listed."
            )
        return found
