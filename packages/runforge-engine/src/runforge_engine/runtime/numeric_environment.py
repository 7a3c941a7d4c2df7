"""The pinned numeric environment: the same bits on every x86-64 machine with AVX2.

OpenBLAS chooses its kernels, and numpy its loops, by the processor they find when they are
loaded, and both split work by the number of threads. Each choice moves the last bits of a linear
model. The choices are made through environment variables, once, when the libraries load; so they
have to be pinned before that:

    from runforge_engine.runtime.numeric_environment import pin_environment

    pin_environment()   # before anything imports numpy, scipy, pandas or scikit-learn

The command line does this first. When numpy was already imported nothing is changed. The run's
record (``provenance.numerics.pinned``) says whether the environment is in effect: a worker process
inherits it from its parent, even where numpy was imported before.

Source: specification, section 13.2; OpenBLAS, "Runtime variables"; numpy, "CPU/SIMD optimizations,
Runtime dispatch".
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from runforge_engine.runtime.numpy_features import dispatched_features
from runforge_engine.runtime.platform_info import cpu_flags

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

_THREADS = (
    "BLIS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_CORETYPE = "OPENBLAS_CORETYPE"
_DISABLE = "NPY_DISABLE_CPU_FEATURES"
_ENABLE = "NPY_ENABLE_CPU_FEATURES"
_TUNABLES = "GLIBC_TUNABLES"

#: Weaker names for the number of threads; removed, so that the record does not depend on them.
_REPLACED = ("GOTO_NUM_THREADS", "OPENBLAS_DEFAULT_NUM_THREADS")

#: Sizes of the blocks into which OpenBLAS divides a matrix; removed. A size that is too small for
#: the kernel makes a product endless.
_BLOCKS = ("OPENBLAS_BLOCK_FACTOR", "OPENBLAS_L2_SIZE")

#: The variables that :func:`pin_environment` sets or removes, where it can do it all.
PINNED_VARIABLES = (*_THREADS, *_REPLACED, *_BLOCKS, _CORETYPE, _DISABLE, _ENABLE)

#: Every variable that can change a bit of a model.
NUMERIC_VARIABLES = (*PINNED_VARIABLES, _TUNABLES, "MKL_CBWR")

#: The kernels that every processor with AVX2 and FMA can run, AMD's too.
_PINNED_CORETYPE = "Haswell"

#: numpy's names for what a processor with AVX2 (x86-64-v3) has; these stay enabled.
_UP_TO_AVX2 = frozenset(
    {"MMX", "SSE", "SSE2", "SSE3", "SSSE3", "SSE41", "POPCNT", "SSE42", "LAHF", "CX16", "X86_V2"}
    | {"AVX", "F16C", "FMA3", "AVX2", "MOVBE", "BMI", "BMI2", "LZCNT", "X86_V3"}
)

_SKX = "avx512f avx512cd avx512vl avx512bw avx512dq"
_ICL = f"{_SKX} avx512_vnni avx512ifma avx512vbmi avx512_vbmi2 avx512_bitalg avx512_vpopcntdq"

#: numpy's names for everything above AVX2, with the processor flags each one needs. numpy 2.4 and
#: later has X86_V4 in place of the first names of the list.
_ABOVE_AVX2 = {
    name: frozenset(flags.split())
    for name, flags in {
        "XOP": "xop",
        "FMA4": "fma4",
        "AVX512F": "avx512f",
        "AVX512CD": "avx512f avx512cd",
        "AVX512_KNL": "avx512f avx512cd avx512er avx512pf",
        "AVX512_KNM": "avx512er avx512pf avx512_4fmaps avx512_4vnniw avx512_vpopcntdq",
        "AVX512_SKX": _SKX,
        "AVX512_CLX": f"{_SKX} avx512_vnni",
        "AVX512_CNL": f"{_SKX} avx512ifma avx512vbmi",
        "X86_V4": _SKX,
        "AVX512_ICL": _ICL,
        "AVX512_SPR": f"{_ICL} avx512_bf16 avx512_fp16",
    }.items()
}

#: The variables as this process has set them in time; None if it has not.
_applied: dict[str, str] | None = None


def pin_environment() -> bool:
    """Pin threads, BLAS kernel and numpy's processor features; call it before importing numpy.

    Sets the variables in ``os.environ``, whatever the user had set them to. Anywhere but under
    Linux on an x86-64 processor with AVX2 and FMA, only the number of threads is pinned. Takes
    about two milliseconds, and a tenth of a second the first time that an installed numpy is met;
    may be called again.

    Returns
    -------
    bool
        Whether this process has set the variables in time. False, with nothing changed, when
        numpy was loaded before.
    """
    global _applied
    if "numpy" in sys.modules:
        return _applied is not None
    removed = [*_REPLACED, *_BLOCKS]
    pinned = dict.fromkeys(_THREADS, "1")
    flags = cpu_flags()
    if {"avx2", "fma"} <= flags:
        pinned[_CORETYPE] = _PINNED_CORETYPE
        # With both of numpy's variables set its import fails, and either changes the loops.
        removed += [_DISABLE, _ENABLE]
        features = [name for name in dispatched_features() if _is_above_avx2(name, flags)]
        if features:
            pinned[_DISABLE] = " ".join(features)
    for name in removed:
        os.environ.pop(name, None)
    os.environ.update(pinned)
    _applied = _recorded_variables()
    return True


def _is_above_avx2(name: str, flags: frozenset[str]) -> bool:
    # A feature that the processor lacks is not named: numpy warns of it.
    return name in _ABOVE_AVX2 and _ABOVE_AVX2[name] <= flags


def describe_numerics() -> dict[str, Any]:
    """Return the linear algebra libraries of this process, for ``provenance.numerics``.

    Call it where the fit runs, so that a limit on threads around the fit is seen. Imports numpy
    and scipy.

    Returns
    -------
    dict
        ``blas``, a list of ``library`` (file name), ``api``, ``version``, ``architecture`` (the
        kernel in use) and ``threads`` for each BLAS that is loaded, sorted; ``threads``, the most
        that one of them uses; ``simd``, the processor features that numpy uses; ``pinned``;
        and ``environment``, the variables as they were when the libraries loaded. What a library
        does not tell is left out. Nothing in it differs between two runs on one machine.

        ``pinned`` is True where what is in force is what :func:`pin_environment` asks for, as the
        libraries tell: every BLAS is an OpenBLAS with the pinned kernel and one thread, numpy uses
        AVX2 and nothing above; and no variable divides matrices in another way or has the C library
        ignore features of the processor, of which no library tells.
    """
    libraries = _blas_libraries()
    simd = _numpy_features()
    # What a program sets after the libraries were loaded has no effect.
    environment = _recorded_variables() if _applied is None else dict(_applied)
    described: dict[str, Any] = {"blas": libraries}
    if libraries:
        described["threads"] = max(library["threads"] for library in libraries)
    described["simd"] = simd
    described["pinned"] = _is_pinned(libraries, simd, environment)
    described["environment"] = environment
    return described


def _is_pinned(
    libraries: Sequence[Mapping[str, Any]], simd: Collection[str], environment: Mapping[str, str]
) -> bool:
    return (
        bool(libraries)
        and all(
            library["api"] == "openblas"
            and library.get("architecture") == _PINNED_CORETYPE
            and library["threads"] == 1
            for library in libraries
        )
        and _UP_TO_AVX2.issuperset(simd)
        and not {"X86_V3", "AVX2"}.isdisjoint(simd)
        and environment.keys().isdisjoint(_BLOCKS)
        and "hwcaps" not in environment.get(_TUNABLES, "")
    )


def _blas_libraries() -> list[dict[str, Any]]:
    from importlib import import_module

    from threadpoolctl import threadpool_info

    # scipy includes a separate BLAS, which the solvers of scikit-learn use.
    import_module("scipy.linalg")
    libraries = []
    for pool in threadpool_info():
        if pool["user_api"] != "blas":
            continue
        library = {"library": os.path.basename(pool["filepath"]), "api": pool["internal_api"]}  # noqa: PTH119
        for name in ("version", "architecture"):
            if pool.get(name):
                library[name] = pool[name]
        library["threads"] = pool["num_threads"]
        libraries.append(library)
    return sorted(libraries, key=lambda library: (library["library"], library["api"]))


def _numpy_features() -> list[str]:
    import numpy as np

    config: Any = np.show_config(mode="dicts")
    features = config.get("SIMD Extensions", {})
    return [*features.get("baseline", ()), *features.get("found", ())]


def _recorded_variables() -> dict[str, str]:
    return {
        name: os.environ[name].encode("utf-8", "backslashreplace").decode("utf-8")
        for name in sorted(NUMERIC_VARIABLES)
        if name in os.environ
    }
