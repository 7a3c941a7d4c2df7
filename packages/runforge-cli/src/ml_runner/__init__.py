"""Entry point of the contract for editors: python -m ml_runner."""

import os
import sys

# While Python looks for the module of `python -m`, that is what it is called by. These are our
# first lines then: what is imported before the path is clean may be a file of the workspace, so
# only what Python itself has loaded is, and our own package from where this one lies, beside it.
if sys.argv[:1] == ["-m"] and any(word.endswith(__name__) for word in sys.orig_argv):
    sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))
    from runforge_cli.shell import interruption
    from runforge_cli.shell.isolation import isolate

    del sys.path[0]
    interruption.end_at_once(json=True)
    isolate()
