"""Interpret every operation of pickle protocols 0 to 5 symbolically, without running anything.

Names are not imported and calls are only recorded. There are two extensions of plain pickle: the
raw bytes of joblib's arrays, which follow their description in the stream, are skipped, and its
arrays of objects are read by a separate machine, as in joblib.
Source: Python, ``pickletools`` and ``pickle._Unpickler``; joblib, ``numpy_pickle``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from runforge_contracts.display import quote

from runforge_engine.model_file import constructors
from runforge_engine.model_file.allowlist import ALLOWED, Role
from runforge_engine.model_file.byte_source import Blob, Cursor
from runforge_engine.model_file.literals import LITERALS, Read, index, index_line
from runforge_engine.model_file.scan_findings import FindingCode, ReadingStopped, Refused
from runforge_engine.model_file.session import Reading
from runforge_engine.model_file.stack import Stack
from runforge_engine.model_file.values import (
    Array,
    Global,
    Instance,
    Opaque,
    count,
)


class _Stopped(Exception):  # noqa: N818 - the regular end of a stream
    def __init__(self, value: object) -> None:
        self.value = value


class Machine(Stack):
    """Read one pickle stream from a cursor.

    Parameters
    ----------
    cursor
        The start of the stream; it is moved to the end of the stream.
    reading
        Shared with the machines of other streams.
    nested
        Whether the stream is that of an array of objects, in which joblib writes no arrays.
    """

    def __init__(self, cursor: Cursor, reading: Reading, *, nested: bool = False) -> None:
        super().__init__(reading.watch.limits, reading.findings)
        self._cursor = cursor
        self._reading = reading
        self._watch = reading.watch
        self._joblib = reading.joblib and not nested

    def run(self) -> object:
        """Read to the end of the stream and return its value.

        Raises
        ------
        ReadingStopped
            Where the stream cannot be read further, with the offset.
        """
        cursor, count, operations = self._cursor, self._reading.count_operation, _OPERATIONS
        try:
            while True:
                self._start = cursor.position
                count()
                operation = operations.get(cursor.byte())
                if operation is None:
                    raise ReadingStopped(FindingCode.MALFORMED, self._told("is unknown"))
                operation(self)
        except _Stopped as stopped:
            return stopped.value
        except ReadingStopped as stop:
            if stop.offset is None:
                stop.offset = self._start
            raise
        except (IndexError, ValueError, struct.error) as error:
            raise ReadingStopped(
                FindingCode.MALFORMED, self._told(f"fails: {error}"), self._start
            ) from None

    def _told(self, what: str) -> str:
        """Describe an invalid operation; if it is the first one, the file is not a pickle."""
        return f"An operation {what}." if self._start else "It does not begin as a pickle does."

    # Literals

    def _push_literal(self, read: Read[object]) -> None:
        self._stack.append(read(self._cursor, self._watch))

    def _frame(self) -> None:
        self._cursor.open_frame(int.from_bytes(self._cursor.take(8), "little"))

    def _proto(self) -> None:
        if self._cursor.byte() > 5:
            raise ReadingStopped(FindingCode.MALFORMED, "The pickle protocol is not known.")

    # Names and calls

    def _global_line(self) -> Global:
        watch = self._watch
        names = []
        for _ in range(2):
            line = self._cursor.line(watch.limits.text_bytes)
            watch.count_text(len(line))
            names.append(line.decode("utf-8"))
        return self._reading.ask_for(names[0], names[1], self._start)

    def _global(self) -> None:
        self._stack.append(self._global_line())

    def _stack_global(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(name) is not str or type(module) is not str:
            raise ReadingStopped(FindingCode.MALFORMED, "A name to import is no text.")
        self._stack.append(self._reading.ask_for(module, name, self._start))

    def _inst(self) -> None:
        found = self._global_line()
        self._pop_mark()
        self._call_refused(found)

    def _obj(self) -> None:
        self._call_refused(self._pop_mark()[0])

    def _newobj(self) -> None:
        args, cls = self._stack.pop(), self._stack.pop()
        self._call(constructors.new_object, cls, args)

    def _newobj_ex(self) -> None:
        del self._stack[-2:]
        self._call_refused(self._stack.pop())

    def _reduce(self) -> None:
        args, function = self._stack.pop(), self._stack.pop()
        self._call(constructors.reduce, function, args)

    def _call(
        self,
        make: Callable[[Global, tuple[object, ...], int], object],
        function: object,
        args: object,
    ) -> None:
        if not isinstance(function, Global) or not isinstance(args, tuple):
            return self._call_refused(function)
        if function.pair not in ALLOWED:
            self._stack.append(Opaque(self._start, function))
            return None
        try:
            value = make(function, args, self._start)
            self._reading.note_made(value)
            self._stack.append(value)
        except Refused as refused:
            self._find(refused.code, refused.message)
            self._stack.append(Opaque(self._start, function))
        return None

    def _call_refused(self, function: object) -> None:
        known = function if isinstance(function, Global) else None
        if known is None or known.pair in ALLOWED:
            what = quote(f"{known.module}.{known.name}", 120) if known else "Something"
            self._find(FindingCode.CALL_NOT_ALLOWED, f"{what} is called in an unknown way.")
        self._stack.append(Opaque(self._start, known))

    def _build(self) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        try:
            if not isinstance(target, Opaque):
                self._stack[-1] = target = constructors.build(target, state)
                if isinstance(target, Array):
                    self._reading.note_made(target)
        except Refused as refused:
            self._find(refused.code, refused.message)
            self._stack[-1] = Opaque(self._start)
            target = self._opaque_wrapper(target)
        if isinstance(target, Instance) and ALLOWED.get(target.cls.pair) is Role.WRAPPER:
            self._reading.wrapped_arrays += 1
            if self._joblib:
                self._stack[-1] = self._read_array(target)

    def _opaque_wrapper(self, target: object) -> object:
        """Stop at an array wrapper that cannot be read, because the end of its bytes is unknown."""
        if isinstance(target, Instance) and ALLOWED.get(target.cls.pair) is Role.WRAPPER:
            raise ReadingStopped(FindingCode.ARRAY_INVALID, "An array cannot be stepped over.")
        return None

    def _read_array(self, wrapper: Instance) -> Array:
        try:
            dtype, shape, fortran, padded = constructors.wrapped_array(wrapper)
        except Refused as refused:
            raise ReadingStopped(refused.code, refused.message) from None
        cursor = self._cursor
        cursor.leave_frame()
        if dtype.kind == "O":
            value = Machine(cursor, self._reading, nested=True).run()
            cursor.leave_frame()
            if not isinstance(value, Array) or value.dtype.kind != "O" or value.shape != shape:
                raise ReadingStopped(
                    FindingCode.ARRAY_INVALID, "The stream of an array of objects holds another."
                )
            return value
        if padded:
            cursor.skip(cursor.byte())
        length = count(shape) * dtype.itemsize
        blob = Blob(cursor.source, cursor.skip(length), length)
        return Array(dtype, shape, fortran, blob, self._start)

    # Operations that no model needs

    def _extension(self, length: int) -> None:
        code = int.from_bytes(self._cursor.take(length), "little")
        self._find(FindingCode.EXTENSION_CODE, f"The file asks for the extension {code}.")
        self._stack.append(Opaque(self._start))

    def _persistent_line(self) -> None:
        self._cursor.line(self._limits.text_bytes)
        self._persistent()

    def _persistent_stack(self) -> None:
        self._stack.pop()
        self._persistent()

    def _persistent(self) -> None:
        self._find(FindingCode.PERSISTENT_ID, "The file asks for something stored elsewhere.")
        self._stack.append(Opaque(self._start))

    def _next_buffer(self) -> None:
        self._find(FindingCode.EXTERNAL_BUFFER, "The file asks for bytes stored elsewhere.")
        self._stack.append(Opaque(self._start))

    def _readonly_buffer(self) -> None:
        if not self._stack:
            raise ReadingStopped(FindingCode.MALFORMED, "The stack holds too little.")
        self._find(FindingCode.EXTERNAL_BUFFER, "The file locks bytes stored elsewhere.")

    def _stop(self) -> None:
        raise _Stopped(self._stack.pop())


Operation = Callable[[Machine], None]


def _literal(read: Read[object]) -> Operation:
    return lambda machine: machine._push_literal(read)


def _get(position: Read[int]) -> Operation:
    return lambda machine: machine._get(position(machine._cursor, machine._watch))


def _put(position: Read[int]) -> Operation:
    return lambda machine: machine._put(position(machine._cursor, machine._watch))


def _tuple(length: int) -> Operation:
    return lambda machine: machine._tuple(length)


def _extension(length: int) -> Operation:
    return lambda machine: machine._extension(length)


#: Handlers of the operations, by opcode.
_OPERATIONS: dict[int, Operation] = {
    code[0]: operation
    for code, operation in {
        b"g": _get(index_line),
        b"h": _get(index(1)),
        b"j": _get(index(4)),
        b"p": _put(index_line),
        b"q": _put(index(1)),
        b"r": _put(index(4)),
        b"\x94": Machine._memoize,
        b")": _tuple(0),
        b"\x85": _tuple(1),
        b"\x86": _tuple(2),
        b"\x87": _tuple(3),
        b"]": Machine._push_list,
        b"}": Machine._push_dict,
        b"\x8f": Machine._push_set,
        b"\x82": _extension(1),
        b"\x83": _extension(2),
        b"\x84": _extension(4),
        b"\x80": Machine._proto,
        b"\x95": Machine._frame,
        b"(": Machine._mark,
        b"0": Machine._pop,
        b"1": Machine._pop_to_mark,
        b"2": Machine._duplicate,
        b"t": Machine._tuple_to_mark,
        b"l": Machine._list_to_mark,
        b"d": Machine._dict_to_mark,
        b"\x91": Machine._frozenset_to_mark,
        b"a": Machine._append,
        b"e": Machine._appends,
        b"s": Machine._setitem,
        b"u": Machine._setitems,
        b"\x90": Machine._additems,
        b"c": Machine._global,
        b"\x93": Machine._stack_global,
        b"i": Machine._inst,
        b"o": Machine._obj,
        b"\x81": Machine._newobj,
        b"\x92": Machine._newobj_ex,
        b"R": Machine._reduce,
        b"b": Machine._build,
        b"P": Machine._persistent_line,
        b"Q": Machine._persistent_stack,
        b"\x97": Machine._next_buffer,
        b"\x98": Machine._readonly_buffer,
        b".": Machine._stop,
    }.items()
} | {code: _literal(read) for code, read in LITERALS.items()}
