"""Build the documentation site into ``build/site``, and check every link in it.

Needs no network and no git: the same pages give the same bytes. Links out of the site are listed
with ``--outward`` and not fetched.

    python scripts/build_site.py [--out FOLDER] [--outward]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from site_html import mend_pages
from site_links import check_links, outward_links
from site_pages import ROOT, SITE, SiteError, write_pages


def main() -> int:
    """Build the site, check it, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build/site", help="default: build/site")
    parser.add_argument("--outward", action="store_true", help="list the links out of the site")
    arguments = parser.parse_args()
    out: Path = arguments.out.resolve()
    if out.exists() and any(out.iterdir()) and not (out / "searchindex.js").is_file():
        print(f"{out}: holds something that is no earlier build; move it away.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "site"
        try:
            build(Path(folder) / "pages", built)
        except SiteError as error:
            print(error, file=sys.stderr)
            return 1
        if mistakes := check_links(built):
            print(*mistakes, sep="\n", file=sys.stderr)
            return 1
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(built, out)
    if arguments.outward:
        print(*outward_links(out), sep="\n")
    count = len(list(out.rglob("*.html")))
    print(f"{count} pages in {out}; every link within them leads somewhere")
    return 0


def build(pages: Path, out: Path) -> None:
    """Build the site from its collected pages.

    Raises
    ------
    SiteError
        For links that lead nowhere, and for whatever Sphinx warns of.
    """
    write_pages(pages)
    command = [sys.executable, "-m", "sphinx", "--builder", "html", "--conf-dir", str(SITE)]
    command += ["--quiet", "--fail-on-warning", "--keep-going", "--jobs", "auto"]
    command += ["--doctree-dir", str(pages.with_name("doctrees")), str(pages), str(out)]
    # Without this Sphinx puts the current year into pages.
    environment = {"SOURCE_DATE_EPOCH": "0", **os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SiteError(done.stderr.replace(f"{pages}/", "").strip())
    shutil.copytree(ROOT / "schemas", out / "schemas")
    for name in (".buildinfo", "objects.inv"):
        (out / name).unlink(missing_ok=True)
    mend_pages(out)


if __name__ == "__main__":
    sys.exit(main())
