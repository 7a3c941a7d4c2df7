"""The environment of a run, by name, starting with what can explain a different result."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: The part of a library's file name that changes with every build.
_BUILD = re.compile(r"(-[0-9a-f]{6,})?(\.(so|dylib|dll|[0-9]+))*$")
#: Patterns for names of kernels, threads, versions, the machine, and less relevant fields.
_RANKS = tuple(
    map(
        re.compile,
        (
            r"numerics\.(blas\..*\.architecture|simd)",
            r"numerics\.(blas\..*\.)?threads",
            r"runforge_version|python\..*|packages\..*|numerics\.blas\..*",
            r"platform\..*|numerics\.(?!environment\.).*",
            r"(git|code)\..*",
        ),
    )
)


def environment_fields(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return Python, packages, machine and numeric libraries as recorded in ``provenance``.

    Parameters
    ----------
    provenance
        As in ``run.json``. The location of the code, the caller and the location of the interpreter
        are left out, because they do not affect results.

    Returns
    -------
    dict
        Values by dotted names. A library is named by its file name, without the part that differs
        between two builds of it.
    """
    return dict(_fields(provenance))


def by_relevance(names: Iterable[str]) -> list[str]:
    """Return names of fields by relevance to the result: kernels, threads, versions, the rest.

    Environment variables come last, because the kernels and threads that they request are recorded.
    """
    return sorted(names, key=_rank)


def _rank(name: str) -> int:
    matching = (rank for rank, names in enumerate(_RANKS) if names.fullmatch(name))
    return next(matching, len(_RANKS))


def _fields(provenance: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    python = _members(provenance.get("python"))
    for name in ("implementation", "version"):
        if name in python:
            yield f"python.{name}", python[name]
    for part in ("packages", "platform"):
        for name, value in sorted(_members(provenance.get(part)).items()):
            yield f"{part}.{name}", value
    for name, value in _members(provenance.get("numerics")).items():
        if name == "blas":
            yield from _libraries([item for item in value if "library" in _members(item)])
        elif isinstance(value, dict):
            yield from ((f"numerics.{name}.{key}", value[key]) for key in sorted(value))
        else:
            yield f"numerics.{name}", value


def _libraries(libraries: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    names = [_BUILD.sub("", library["library"]) for library in libraries]
    for index, (name, library) in enumerate(zip(names, libraries, strict=True)):
        place = name if names.count(name) == 1 else f"{name}[{index}]"
        for key, value in library.items():
            if key != "library":
                yield f"numerics.blas.{place}.{key}", value


def _members(value: Any) -> dict[str, Any]:
    # Other clients may have written other values.
    return value if isinstance(value, dict) else {}
