"""The documents that commands print with ``--json``, made without printing anything."""
