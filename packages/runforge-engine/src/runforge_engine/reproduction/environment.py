"""The recorded environment: what differs from here, and setting its numeric part again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from runforge_engine.numerics import NUMERIC_VARIABLES, PINNED_VARIABLES
from runforge_engine.reproduction.findings import ABSENT, FieldDifference, NotChecked

#: What a numeric variable may be set to on the word of a document; others could ask for millions
#: of threads, or steer the C library in other ways.
_SAFE = (
    (re.compile(r".*_(NUM|MAXIMUM)_THREADS"), re.compile(r"[1-9][0-9]{0,2}")),
    (re.compile(r"OPENBLAS_CORETYPE"), re.compile(r"[A-Za-z0-9_]{1,40}")),
    (re.compile(r"NPY_(DIS|EN)ABLE_CPU_FEATURES"), re.compile(r"[A-Z0-9_ ,]{0,400}")),
    (re.compile(r"MKL_CBWR"), re.compile(r"[A-Za-z0-9_,]{1,40}")),
    (
        re.compile(r"GLIBC_TUNABLES"),
        re.compile(r"glibc\.cpu\.[a-z0-9_]+=[A-Za-z0-9_,+-]*(:glibc\.cpu\.[a-z0-9_]+=[\w,+-]*)*"),
    ),
)

#: The part of a library's file name that changes with every build.
_BUILD = re.compile(r"(-[0-9a-f]{6,})?(\.(so|dylib|dll|[0-9]+))*$")


def child_variables(
    here: Mapping[str, str], recorded: Mapping[str, str], *, pinned: bool
) -> tuple[dict[str, str], list[NotChecked]]:
    """Return the environment of a process whose libraries load as they did in the run.

    Parameters
    ----------
    here
        The environment of this process.
    recorded
        ``provenance.numerics.environment`` of the run.
    pinned
        Whether the process is going to pin its numeric environment itself.

    Returns
    -------
    variables
        ``here`` with the numeric variables of the record in place of its own.
    refused
        Variables of the record that are not set, because their values are no such thing.
    """
    variables = {name: value for name, value in here.items() if name not in NUMERIC_VARIABLES}
    refused = []
    for name, value in recorded.items():
        if name not in NUMERIC_VARIABLES or (pinned and name in PINNED_VARIABLES):
            continue
        if _is_safe(name, value):
            variables[name] = value
        else:
            refused.append(
                NotChecked(f"numerics.environment.{name}", "Its recorded value is not set again.")
            )
    return variables, refused


def _is_safe(name: str, value: str) -> bool:
    return any(names.fullmatch(name) and values.fullmatch(value) for names, values in _SAFE)


def environment_differences(
    recorded: Mapping[str, Any], here: Mapping[str, Any]
) -> list[FieldDifference]:
    """Return every field in which two environments differ, as ``run.json`` records them.

    Parameters
    ----------
    recorded, here
        ``provenance`` of two runs. Where the code lay, who asked and where the interpreter is
        installed are left out: they change no bit.
    """
    left, right = dict(_fields(recorded)), dict(_fields(here))
    found = [
        FieldDifference(name, left.get(name, ABSENT), right.get(name, ABSENT))
        for name in dict.fromkeys([*left, *right])
        if left.get(name) != right.get(name)
    ]
    return found + _simd(recorded, here)


def _fields(provenance: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("implementation", "version"):
        if name in provenance["python"]:
            yield f"python.{name}", provenance["python"][name]
    for part in ("packages", "platform"):
        for name, value in sorted(provenance[part].items()):
            yield f"{part}.{name}", value
    numerics = provenance["numerics"]
    names = [_BUILD.sub("", library["library"]) for library in numerics["blas"]]
    for index, (name, library) in enumerate(zip(names, numerics["blas"], strict=True)):
        place = name if names.count(name) == 1 else f"{name}[{index}]"
        for key in ("api", "version", "architecture", "threads"):
            if key in library:
                yield f"numerics.blas.{place}.{key}", library[key]
    for name in ("threads", "pinned"):
        if name in numerics:
            yield f"numerics.{name}", numerics[name]
    for name, value in sorted(numerics["environment"].items()):
        yield f"numerics.environment.{name}", value


def _simd(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> list[FieldDifference]:
    """Return the processor features that only one of both used."""
    left, right = (list(side["numerics"].get("simd", ())) for side in (recorded, here))
    only_left = [name for name in left if name not in right]
    only_right = [name for name in right if name not in left]
    if not only_left and not only_right:
        return []
    return [
        FieldDifference(
            "numerics.simd", " ".join(only_left) or ABSENT, " ".join(only_right) or ABSENT
        )
    ]
