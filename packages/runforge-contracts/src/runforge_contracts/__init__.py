"""The RunForge contract: read, check and edit the runs of every client.

What is exported here is public; everything else may change with any version.

    import runforge_contracts as rf

    for run in rf.open_workspace().runs():  # newest first
        print(run.id, run.status, run.primary_metric)

    request = rf.Request.load("request.json")
    request.edit({"/preset": "thorough"})
    request.save()

A name is loaded when it is first used; importing the package loads nothing else.
"""

from __future__ import annotations

TYPE_CHECKING = False  # not from `typing`, which is slow to import
if TYPE_CHECKING:
    from runforge_contracts.documents import REMOVE, Document
    from runforge_contracts.errors import (
        CancelledError,
        DatasetError,
        DocumentError,
        ErrorCode,
        InternalError,
        NotFoundError,
        ResourceError,
        RunFailedError,
        RunForgeError,
        SignatureError,
        StoreError,
        UsageError,
        VerificationError,
    )
    from runforge_contracts.invariants.finding import Finding
    from runforge_contracts.invariants.run_invariants import check_run
    from runforge_contracts.invariants.store_invariants import check_store
    from runforge_contracts.metrics import Metric
    from runforge_contracts.store.experiment_runs import ExperimentRun
    from runforge_contracts.store.run import Run
    from runforge_contracts.typed_documents import Request, Result
    from runforge_contracts.validation import validate
    from runforge_contracts.workspace import Workspace, open_workspace

__version__ = "0.4.0"

__all__ = [
    "REMOVE",
    "CancelledError",
    "DatasetError",
    "Document",
    "DocumentError",
    "ErrorCode",
    "ExperimentRun",
    "Finding",
    "InternalError",
    "Metric",
    "NotFoundError",
    "Request",
    "ResourceError",
    "Result",
    "Run",
    "RunFailedError",
    "RunForgeError",
    "SignatureError",
    "StoreError",
    "UsageError",
    "VerificationError",
    "Workspace",
    "__version__",
    "check_run",
    "check_store",
    "open_workspace",
    "validate",
]

#: Module that defines each name; it is imported when the name is first used.
_MODULES = {
    "REMOVE": "documents",
    "CancelledError": "errors",
    "DatasetError": "errors",
    "Document": "documents",
    "DocumentError": "errors",
    "ErrorCode": "errors",
    "ExperimentRun": "store.experiment_runs",
    "Finding": "invariants.finding",
    "InternalError": "errors",
    "Metric": "metrics",
    "NotFoundError": "errors",
    "Request": "typed_documents",
    "ResourceError": "errors",
    "Result": "typed_documents",
    "Run": "store.run",
    "RunFailedError": "errors",
    "RunForgeError": "errors",
    "SignatureError": "errors",
    "StoreError": "errors",
    "UsageError": "errors",
    "VerificationError": "errors",
    "Workspace": "workspace",
    "check_run": "invariants.run_invariants",
    "check_store": "invariants.store_invariants",
    "open_workspace": "workspace",
    "validate": "validation",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
