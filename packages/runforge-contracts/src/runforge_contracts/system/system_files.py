"""How files are opened, replaced and made durable on this system."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from runforge_contracts.system.windows_files import (
        FOLLOWING,
        KEEPS_CHANGE_TIMES,
        READING,
        REPLACES_OPEN_FILES,
        USERS_MAKE_LINKS,
        exchange_files,
        hard_link,
        has_permissions,
        is_private,
        is_too_long,
        open_below,
        open_without_link,
        remove_below,
        remove_tree,
        rename_below,
        rename_new_folder,
        replace_file,
        reserve,
        sync_file,
        sync_folder,
    )
else:
    from runforge_contracts.system.posix_files import (
        FOLLOWING,
        KEEPS_CHANGE_TIMES,
        READING,
        REPLACES_OPEN_FILES,
        USERS_MAKE_LINKS,
        exchange_files,
        hard_link,
        has_permissions,
        is_private,
        is_too_long,
        open_below,
        open_without_link,
        remove_below,
        remove_tree,
        rename_below,
        rename_new_folder,
        replace_file,
        reserve,
        sync_file,
        sync_folder,
    )

__all__ = [
    "FOLLOWING",
    "KEEPS_CHANGE_TIMES",
    "READING",
    "REPLACES_OPEN_FILES",
    "USERS_MAKE_LINKS",
    "exchange_files",
    "hard_link",
    "has_permissions",
    "is_private",
    "is_too_long",
    "open_below",
    "open_without_link",
    "remove_below",
    "remove_tree",
    "rename_below",
    "rename_new_folder",
    "replace_file",
    "reserve",
    "sync_file",
    "sync_folder",
]
