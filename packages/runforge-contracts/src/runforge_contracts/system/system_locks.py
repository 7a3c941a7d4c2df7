"""Locks on this system, between processes; all of them end with their process."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from runforge_contracts.system.windows_locks import MutexLock as FolderLock
    from runforge_contracts.system.windows_locks import (
        ask_holder,
        holder_of,
        is_asked,
        refuse_readers,
    )
else:
    from runforge_contracts.system.posix_locks import DescriptorLock as FolderLock
    from runforge_contracts.system.posix_locks import (
        ask_holder,
        holder_of,
        is_asked,
        refuse_readers,
    )

__all__ = ["FolderLock", "ask_holder", "holder_of", "is_asked", "refuse_readers"]
