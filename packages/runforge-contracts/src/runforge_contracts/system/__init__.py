"""What the operating systems do differently: files, locks, processes, and names of files.

Import ``system_files``, ``system_locks`` and ``system_processes``: each chooses the module of this
system, ``posix_...`` or ``windows_...``, which have the same functions.
"""
