"""Write what each broken client fails into its list of expected failures.

Look at what has changed before it is committed: the suite must find each fault, and nothing else.

    python conformance/clients/broken/write_lists.py [NAME ...]
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/support"))

from clients import ROLES_OF_BROKEN, SEED, report_on
from runforge_conformance._generated.report_v1 import ReportV1
from runforge_conformance.suite_report import FINE

HERE = Path(__file__).resolve().parent
#: Up to so many failing cases are listed one by one; of more, the requirements that they break.
FEW = 5


def entries(report: ReportV1) -> list[str]:
    """Return the fewest entries that fit the failing cases of a client and no others."""
    failing = [result for result in report.results if result.outcome not in FINE]
    if len(failing) <= FEW:
        return sorted(result.case for result in failing)
    found = {result.case for result in failing if result.outcome != "failed"}
    for result in failing:
        if result.outcome == "failed":
            found.update(f"[{problem.requirement}]" for problem in result.problems)
    return sorted(found)


def main(names: list[str]) -> None:
    """Write the lists of the clients with these names, or of all."""
    for path in sorted(HERE.glob("*/*.xfail")):
        if names and path.stem not in names:
            continue
        client = path.with_suffix(".py")
        reason = str(ast.get_docstring(ast.parse(client.read_text("utf-8"))))
        reason = " ".join(reason.split()).rstrip(".")
        reason = reason[0].lower() + reason[1:]
        report = report_on(client, roles=ROLES_OF_BROKEN.get(path.stem), seed=SEED)
        lines = [f"{entry}  # {reason}\n" for entry in entries(report)]
        path.write_text("".join(lines), "utf-8")
        print(f"{path.stem}: {len(lines)} entries, {report.counts}")


if __name__ == "__main__":
    main(sys.argv[1:])
