"""The calls of Windows that Python has no functions for.

All sizes are stated, so the structures can be checked on any system.

Source: Microsoft, "Windows API": ``LockFileEx``, ``CreateMutexW``, "Job Objects".
"""

from __future__ import annotations

import ctypes
import importlib
from ctypes import POINTER, Structure, c_int, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from functools import cache
from typing import Any

#: Error codes: ``ERROR_FILE_NOT_FOUND``, ``ERROR_ACCESS_DENIED``, ``ERROR_SHARING_VIOLATION``,
#: ``ERROR_LOCK_VIOLATION``, ``ERROR_ALREADY_EXISTS``.
NOT_FOUND, DENIED, SHARED, LOCKED, EXISTS = 2, 5, 32, 33, 183
#: ``SYNCHRONIZE``: the least right to an object that exists.
SYNCHRONIZE = 0x00100000
#: Of ``LockFileEx``: fail instead of waiting; let nobody else lock.
FAIL_AT_ONCE, EXCLUSIVE = 1, 2
#: Of jobs: ``JobObjectExtendedLimitInformation``, ``JobObjectBasicAccountingInformation``,
#: ``JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE``.
LIMITS, ACCOUNTING, KILL_ON_CLOSE = 9, 1, 0x2000


class Offset(Structure):
    """``OVERLAPPED``: where in a file a lock is."""

    _fields_ = (
        ("internal", c_size_t),
        ("internal_high", c_size_t),
        ("offset", c_uint32),
        ("offset_high", c_uint32),
        ("event", c_void_p),
    )


class JobLimits(Structure):
    """``JOBOBJECT_EXTENDED_LIMIT_INFORMATION``."""

    _fields_ = (
        ("process_time", c_int64),
        ("job_time", c_int64),
        ("flags", c_uint32),
        ("least_working_set", c_size_t),
        ("most_working_set", c_size_t),
        ("active_processes", c_uint32),
        ("affinity", c_size_t),
        ("priority", c_uint32),
        ("scheduling", c_uint32),
        ("io", c_uint64 * 6),
        ("process_memory", c_size_t),
        ("job_memory", c_size_t),
        ("peak_process_memory", c_size_t),
        ("peak_job_memory", c_size_t),
    )


class JobAccounting(Structure):
    """``JOBOBJECT_BASIC_ACCOUNTING_INFORMATION``."""

    _fields_ = (
        ("times", c_int64 * 4),
        ("page_faults", c_uint32),
        ("processes", c_uint32),
        ("active_processes", c_uint32),
        ("terminated", c_uint32),
    )


def _declared(library: Any, name: str, result: Any, *arguments: Any) -> None:
    function = getattr(library, name)
    function.restype, function.argtypes = result, list(arguments)


@cache
def kernel() -> Any:
    """Return ``kernel32`` with the types of what is called here."""
    # Loaded by name: type checkers know this class on Windows only.
    library: Any = vars(ctypes)["WinDLL"]("kernel32", use_last_error=True)
    handle, number, flag = c_void_p, c_uint32, c_int
    _declared(library, "CreateMutexW", handle, c_void_p, flag, ctypes.c_wchar_p)
    _declared(library, "OpenMutexW", handle, number, flag, ctypes.c_wchar_p)
    _declared(library, "CloseHandle", flag, handle)
    lock = (number, number, number)
    _declared(library, "LockFileEx", flag, handle, *lock, number, POINTER(Offset))
    _declared(library, "UnlockFileEx", flag, handle, *lock, POINTER(Offset))
    _declared(library, "CreateJobObjectW", handle, c_void_p, ctypes.c_wchar_p)
    _declared(library, "AssignProcessToJobObject", flag, handle, handle)
    _declared(library, "TerminateJobObject", flag, handle, number)
    _declared(library, "SetInformationJobObject", flag, handle, c_int, c_void_p, number)
    _declared(library, "QueryInformationJobObject", flag, handle, c_int, c_void_p, number, c_void_p)
    return library


@cache
def native() -> Any:
    """Return ``ntdll`` with the types of what is called here."""
    library: Any = vars(ctypes)["WinDLL"]("ntdll")
    _declared(library, "NtResumeProcess", c_uint32, c_void_p)
    return library


def last_error() -> int:
    """Return the code of the error of the last call that failed."""
    return int(vars(ctypes)["get_last_error"]())


def runtime() -> Any:
    """Return ``msvcrt``, which knows the handles of descriptors."""
    return importlib.import_module("msvcrt")
