"""``python -m ml_runner``: isolated from the current folder first of all, then the commands."""

import os
import sys

if __name__ == "__main__":
    # What is imported before the path is clean may be a file of the workspace. So only what Python
    # itself has loaded is imported, and our own package from where this one lies, beside it.
    sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))
    from runforge_cli import interruption
    from runforge_cli.isolation import isolate

    del sys.path[0]
    interruption.end_at_once(json=True)
    isolate()
    from ml_runner.commands import main

    main()
