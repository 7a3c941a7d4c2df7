"""Train in warm processes: each has loaded the libraries, and executes one run after another.

A caller gives tasks to a pool and receives messages. A worker seals each run and lists it by
itself, as a single run does, so a finished run is kept whatever dies. Nothing of a dataset or a
model passes between the processes.
"""
