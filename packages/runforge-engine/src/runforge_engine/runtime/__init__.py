"""The process and the machine: time, threads, locks, memory, imports, numeric libraries."""
