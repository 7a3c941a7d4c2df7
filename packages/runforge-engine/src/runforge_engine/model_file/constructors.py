"""Build the results of the allowed calls, without calling them.

Each function takes the arguments of a real reader and returns a record of the result. Arguments
that no model writer uses are refused, because several of these callables are unsafe with others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runforge_contracts.display import quote

from runforge_engine.model_file.allowlist import ALLOWED, Role
from runforge_engine.model_file.byte_source import Blob, BytesSource
from runforge_engine.model_file.dtypes import Dtype, parse_dtype, set_state
from runforge_engine.model_file.scan_findings import FindingCode, Refused
from runforge_engine.model_file.values import (
    Array,
    Descriptor,
    Global,
    Instance,
    Mapping,
    Scalar,
    count,
)

#: Maximum number of dimensions in numpy.
_MOST_DIMENSIONS = 64
_BYTE = Dtype("i", 1, "|")
_INSTANCES = (Role.ESTIMATOR, Role.WRAPPER)


def reduce(function: Global, args: tuple[object, ...], offset: int) -> object:
    """Return the result of ``function(*args)``; raise :class:`Refused` for an unknown call."""
    role = ALLOWED.get(function.pair)
    maker = _MAKERS.get(role) if role else None
    if maker is None:
        raise _unknown_call(function)
    return maker(function, args, offset)


def new_object(cls: Global, args: tuple[object, ...], offset: int) -> Instance:
    """Return the result of ``cls.__new__(cls, *args)``; raise :class:`Refused` if unknown."""
    if ALLOWED.get(cls.pair) not in _INSTANCES or args:
        raise _unknown_call(cls)
    return Instance(cls, (), offset)


def build(target: object, state: object) -> object:
    """Set the state of ``target`` and return the object that replaces it.

    Raises
    ------
    Refused
        Where the target takes no state, already has one, or the state is of another kind.
    """
    if isinstance(target, Instance):
        if target.state is not None:
            raise _refuse_state(f"{_name(target.cls)} is given a second state")
        target.state = _attributes(target.cls, state)
        return target
    if isinstance(target, Descriptor):
        if target.built or target.used:
            raise _refuse_state("An element type is changed after it was made")
        target.dtype = set_state(target.dtype, _plain_dtype_state(state))
        target.built = True
        return target
    if isinstance(target, Array):
        _fill(target, state)
        return target
    raise _refuse_state("Something is given a state that takes none")


def wrapped_array(wrapper: Instance) -> tuple[Dtype, tuple[int, ...], bool, bool]:
    """Return dtype, shape, and whether it is column-major and padded, of joblib's array wrapper.

    Source: joblib, ``numpy_pickle.NumpyArrayWrapper``.
    """
    state = wrapper.state or {}
    names = {"subclass", "shape", "order", "dtype", "allow_mmap"}
    alignment = state.get("numpy_array_alignment_bytes")
    if set(state) - {"numpy_array_alignment_bytes"} != names:
        raise _refuse_array("joblib's stand-in for an array has unknown attributes")
    subclass = state["subclass"]
    if not isinstance(subclass, Global) or ALLOWED.get(subclass.pair) is not Role.NDARRAY:
        raise _refuse_array("An array is of an unknown class")
    if state["order"] not in ("C", "F") or not isinstance(state["allow_mmap"], bool):
        raise _refuse_array("An array is stored in an unknown order")
    # joblib reads the padding if the attribute exists, for any value.
    if alignment is not None and (type(alignment) is not int or not 1 <= alignment <= 255):
        raise _refuse_array("An array has an unknown alignment")
    dtype, shape = _use(state["dtype"]), _shape(state["shape"])
    return dtype, shape, state["order"] == "F", alignment is not None


def _make_dtype(function: Global, args: tuple[object, ...], offset: int) -> object:
    return Descriptor(parse_dtype(args), offset)


def _make_tree(function: Global, args: tuple[object, ...], offset: int) -> object:
    known = len(args) == 3 and type(args[0]) is int and isinstance(args[1], Array)
    if not known or type(args[2]) is not int or _is_unfinished(args[1]):
        raise _unknown_call(function)
    return Instance(function, args, offset)


def _make_empty_array(function: Global, args: tuple[object, ...], offset: int) -> object:
    known = len(args) == 3 and isinstance(args[0], Global) and isinstance(args[2], Blob)
    if not known or args[1] != (0,) or type(args[1][0]) is not int:
        raise _unknown_call(function)
    if not isinstance(args[0], Global) or ALLOWED.get(args[0].pair) is not Role.NDARRAY:
        raise _unknown_call(function)
    if not isinstance(args[2], Blob) or args[2].length != 1 or args[2].data() != b"b":
        raise _unknown_call(function)
    return Array(_BYTE, (0,), False, Blob(BytesSource(b""), 0, 0), offset, built=False)


def _make_array_from_buffer(function: Global, args: tuple[object, ...], offset: int) -> object:
    if len(args) != 4 or not isinstance(args[0], Blob) or args[3] not in ("C", "F"):
        raise _unknown_call(function)
    dtype, shape = _use(args[1]), _shape(args[2])
    if dtype.kind == "O":
        raise _refuse_array("Objects are to be made of raw bytes")
    _check_length(dtype, shape, args[0])
    return Array(dtype, shape, args[3] == "F", args[0], offset)


def _make_scalar(function: Global, args: tuple[object, ...], offset: int) -> object:
    if len(args) != 2 or not isinstance(args[1], Blob):
        raise _unknown_call(function)
    dtype, blob = _use(args[0]), args[1]
    if dtype.kind in "OV":
        raise Refused(FindingCode.DTYPE_NOT_ALLOWED, "A scalar is an object or a record.")
    if blob.length != dtype.itemsize:
        raise _refuse_array("A scalar has another size than its type")
    return Scalar(dtype, blob.data(), offset)


def _make_bytes(function: Global, args: tuple[object, ...], offset: int) -> object:
    if len(args) != 2 or type(args[0]) is not str or args[1] != "latin1":
        raise _unknown_call(function)
    try:
        data = args[0].encode("latin1")
    except UnicodeEncodeError:
        raise _unknown_call(function) from None
    return Blob(BytesSource(data), 0, len(data))


def _make_instance(function: Global, args: tuple[object, ...], offset: int) -> object:
    known = len(args) == 3 and isinstance(args[1], Global) and args[2] is None
    if not known or not isinstance(args[0], Global) or not isinstance(args[1], Global):
        raise _unknown_call(function)
    if ALLOWED.get(args[1].pair) is not Role.OBJECT:
        raise _unknown_call(function)
    return new_object(args[0], (), offset)


_MAKERS: dict[Role, Callable[[Global, tuple[object, ...], int], object]] = {
    Role.DTYPE: _make_dtype,
    Role.TREE: _make_tree,
    Role.RECONSTRUCT: _make_empty_array,
    Role.FROMBUFFER: _make_array_from_buffer,
    Role.SCALAR: _make_scalar,
    Role.ENCODE: _make_bytes,
    Role.RECONSTRUCTOR: _make_instance,
}


def _attributes(cls: Global, state: object) -> dict[str, object]:
    """Return the attributes that ``state`` sets; special or repeated names are refused."""
    if not isinstance(state, Mapping):
        raise _refuse_state(f"{_name(cls)} is given something else than attributes")
    role = ALLOWED.get(cls.pair)
    attributes: dict[str, object] = {}
    for key, value in state.pairs:
        if type(key) is not str or not key.isidentifier() or key.startswith("__"):
            raise _refuse_state(f"{_name(cls)} is given the attribute {quote(key)}")
        if key in attributes:
            raise _refuse_state(f"{_name(cls)} is given the attribute {quote(key)} twice")
        if role is Role.TREE and _is_unfinished(value):
            raise _refuse_state(f"{_name(cls)} is given an array before it is filled")
        if isinstance(value, Global) and role is not Role.WRAPPER:
            raise _refuse_state(f"The attribute {quote(key)} of {_name(cls)} is a class")
        attributes[key] = value
    return attributes


def _is_unfinished(value: object) -> bool:
    return isinstance(value, Array) and not value.built


def _plain_dtype_state(state: object) -> object:
    """Return the state of a dtype with its fields as plain dtypes."""
    if not isinstance(state, tuple) or len(state) != 8 or not isinstance(state[4], Mapping):
        return state
    fields: dict[object, object] = {}
    for key, value in state[4].pairs:
        if type(key) is not str or key in fields or not isinstance(value, tuple):
            raise Refused(FindingCode.DTYPE_NOT_ALLOWED, "A record has fields of unknown form.")
        fields[key] = (_use(value[0]), *value[1:]) if value else ()
    return (*state[:4], fields, *state[5:])


def _fill(target: Array, state: object) -> None:
    if target.built:
        raise _refuse_state("An array is given a second state")
    if not isinstance(state, tuple) or len(state) != 5 or state[0] != 1:
        raise _refuse_array("An array has a state of an unknown version")
    _, shape, descriptor, fortran, elements = state
    if not isinstance(fortran, bool):
        raise _refuse_array("An array is stored in an unknown order")
    dtype, shape = _use(descriptor), _shape(shape)
    if dtype.kind != "O":
        if not isinstance(elements, Blob):
            raise _refuse_array("An array has no raw bytes")
        _check_length(dtype, shape, elements)
        target.fortran, target.elements = fortran, elements
    else:
        if not isinstance(elements, list) or len(elements) != count(shape):
            raise _refuse_array("An array of objects has another number of them than its shape")
        target.elements = list(elements)
    target.dtype, target.shape, target.built = dtype, shape, True


def _check_length(dtype: Dtype, shape: tuple[int, ...], blob: Blob) -> None:
    if count(shape) * dtype.itemsize != blob.length:
        raise _refuse_array("An array has another number of bytes than its shape")


def _use(descriptor: object) -> Dtype:
    if not isinstance(descriptor, Descriptor):
        raise _refuse_array("An array is of an unknown type")
    descriptor.used = True
    dtype = descriptor.dtype
    if dtype.itemsize == 0 or (dtype.kind == "V" and not dtype.fields):
        raise Refused(FindingCode.DTYPE_NOT_ALLOWED, "An element type has no size or no fields.")
    return dtype


def _shape(shape: object) -> tuple[int, ...]:
    lengths: Sequence[object] = shape if isinstance(shape, tuple) else (None,)
    checked = tuple(n for n in lengths if type(n) is int and 0 <= n < 2**48)
    if len(checked) != len(lengths) or len(checked) > _MOST_DIMENSIONS:
        raise _refuse_array("An array has an impossible shape")
    return checked


def _name(cls: Global) -> str:
    return quote(f"{cls.module}.{cls.name}", 120)


def _unknown_call(function: Global) -> Refused:
    return Refused(FindingCode.CALL_NOT_ALLOWED, f"{_name(function)} is called in an unknown way.")


def _refuse_state(what: str) -> Refused:
    return Refused(FindingCode.STATE_NOT_ALLOWED, what + ".")


def _refuse_array(what: str) -> Refused:
    return Refused(FindingCode.ARRAY_INVALID, what + ".")
