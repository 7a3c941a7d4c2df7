"""Processes on this system: groups that end as a whole, and what they inherit."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from runforge_contracts.system.windows_processes import (
        END_REQUESTS,
        apart,
        descriptor_from,
        signal_name,
        wait_for_input,
    )
    from runforge_contracts.system.windows_processes import JobProcess as GroupProcess
else:
    from runforge_contracts.system.posix_processes import (
        END_REQUESTS,
        apart,
        descriptor_from,
        signal_name,
        wait_for_input,
    )
    from runforge_contracts.system.posix_processes import SessionProcess as GroupProcess

__all__ = [
    "END_REQUESTS",
    "GroupProcess",
    "apart",
    "descriptor_from",
    "signal_name",
    "wait_for_input",
]
