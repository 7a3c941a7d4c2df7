"""Entry point of the contract for editors: python -m ml_runner."""

import os
import sys

# While Python locates the module of `python -m`, sys.argv[0] is "-m", and these lines run first.
# Until sys.path is clean, an import may load a file of the workspace. So only modules that Python
# has already loaded are imported, and our own package from the folder that this one is in.
if sys.argv[:1] == ["-m"] and any(word.endswith(__name__) for word in sys.orig_argv):
    sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))
    from runforge_cli.process import interruption
    from runforge_cli.process.isolation import isolate

    del sys.path[0]
    interruption.end_at_once(json="--json" in sys.argv)
    isolate()
