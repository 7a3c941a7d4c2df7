"""Build everything that is published, into ``dist/``: the same commit gives the same bytes.

Wheels and source distributions of all Python packages, npm packages, the editor extension, a
bill of materials (CycloneDX) for each of them, and their SHA-256 in ``SHA256SUMS``. Times inside
are the commit's, or ``SOURCE_DATE_EPOCH``. A bill lists what was resolved on the day of the build.

    python scripts/dist.py [--out FOLDER]

Exit code: 1 if a program failed, or the folder holds something else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from version import present_version

ROOT = Path(__file__).resolve().parent.parent
PYTHON = [*sorted((ROOT / "packages").glob("runforge-*")), ROOT / "conformance"]
TYPESCRIPT = ROOT / "packages/runforge-contracts/typescript"
NPM = ("contracts", "client")
EDITOR = ROOT / "clients/vscode"
EXTRAS = {"runforge_cli": "[archive,browse,excel,web]"}
SUMS = "SHA256SUMS"
#: What `make docs` builds, beside everything else.
SITE = "site"
#: What changes with every call, and says nothing of what is inside.
FLEETING = ("serialNumber", "timestamp")


def main() -> int:
    """Build, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="default: dist")
    out: Path = parser.parse_args().out.resolve()
    others = {path.name for path in out.iterdir()} - {SITE} if out.exists() else set()
    if others and SUMS not in others:
        print(f"{out}: holds something that is no earlier build; move it away.", file=sys.stderr)
        return 1
    os.environ.setdefault("SOURCE_DATE_EPOCH", commit_time())
    try:
        with tempfile.TemporaryDirectory(dir=ROOT) as folder:
            built = Path(folder) / "dist"
            built.mkdir()
            for build in (python_packages, npm_packages, editor_extension, write_bills):
                build(built)
            write_sums(built)
            if (out / SITE).is_dir():
                (out / SITE).rename(built / SITE)
            shutil.rmtree(out, ignore_errors=True)
            built.rename(out)
    except subprocess.CalledProcessError as error:
        print(f"{error}\n{error.stderr or ''}", file=sys.stderr)
        return 1
    print(*sorted(path.name for path in out.iterdir()), sep="\n")
    return 0


def commit_time() -> str:
    """Return when the commit was made, in seconds since 1970."""
    return call("git", "log", "-1", "--format=%ct").strip()


def call(*command: str | Path, cwd: Path = ROOT) -> str:
    """Return what a program prints."""
    done = subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True)
    return done.stdout


def python_packages(out: Path) -> None:
    """Build wheels, from the source distributions, as installers do."""
    for package in PYTHON:
        call(sys.executable, "-m", "build", "--installer", "uv", "--outdir", out, package)


def npm_packages(out: Path) -> None:
    """Pack what has no part in the build."""
    for name in NPM:
        call("npm", "pack", "--pack-destination", out, cwd=TYPESCRIPT / name)


def editor_extension(out: Path) -> None:
    """Pack the extension."""
    call("npm", "run", "package", cwd=EDITOR)
    shutil.copyfile(EDITOR / "dist/runforge.vsix", out / f"runforge-{present_version()}.vsix")


def write_bills(out: Path) -> None:
    """Write a bill of materials for each package, with what installing it brings."""
    everything = python_bill(out)
    for wheel in sorted(out.glob("*.whl")):
        name = wheel.name.partition("-")[0].replace("_", "-")
        write_bill(out, name, only_what_it_needs(everything, f"{name}=="))
    everything = npm_bill(out)
    for name in NPM:
        write_bill(out, f"npm-{name}", only_what_it_needs(everything, f"@runforge/{name}@"))
    write_bill(out, "vscode", node_bill(EDITOR))


def python_bill(built: Path) -> dict[str, Any]:
    """Return the bill of a fresh environment with all wheels in it, and the extras of setup."""
    with tempfile.TemporaryDirectory() as folder:
        call("uv", "venv", "--quiet", "--clear", "--python", sys.executable, folder)
        python = Path(folder) / ("Scripts" if os.name == "nt" else "bin") / "python"
        wheels = [
            f"{path}{EXTRAS.get(path.name.partition('-')[0], '')}" for path in built.glob("*.whl")
        ]
        call("uv", "pip", "install", "--quiet", "--python", python, *sorted(wheels))
        bill: dict[str, Any] = json.loads(
            call("cyclonedx-py", "environment", "--output-reproducible", python)
        )
    return bill


def npm_bill(built: Path) -> dict[str, Any]:
    """Return the bill of a fresh folder with all npm packages in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "package.json").write_text(
            json.dumps({"name": "bill", "version": present_version()})
        )
        call(
            "npm",
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            *sorted(built.glob("*.tgz")),
            cwd=folder,
        )
        return node_bill(folder)


def node_bill(folder: Path) -> dict[str, Any]:
    """Return the bill of what is installed for an npm package."""
    text = call("npm", "sbom", "--sbom-format", "cyclonedx", "--omit", "dev", cwd=folder)
    bill: dict[str, Any] = json.loads(text)
    return bill


def only_what_it_needs(bill: dict[str, Any], start: str) -> dict[str, Any]:
    """Return what a package needs: that whose reference begins so is the bill's subject."""
    components = {component["bom-ref"]: component for component in bill["components"]}
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
    [subject] = [ref for ref in components if ref.startswith(start)]
    found, ahead = {subject}, [subject]
    while ahead:
        new = set(needs[ahead.pop()]) - found
        found |= new
        ahead += new
    return {
        **bill,
        "metadata": {**bill["metadata"], "component": components[subject]},
        "components": [components[ref] for ref in sorted(found - {subject})],
        "dependencies": [entry for entry in bill["dependencies"] if entry["ref"] in found],
    }


def write_bill(out: Path, name: str, bill: dict[str, Any]) -> None:
    """Write a bill, without what changes with every call or names a folder of this machine."""
    for holder in (bill, bill["metadata"]):
        for member in FLEETING:
            holder.pop(member, None)
    for component in (bill["metadata"]["component"], *bill["components"]):
        if "runforge" in component["bom-ref"]:
            component.pop("externalReferences", None)
    text = json.dumps(bill, indent=2, ensure_ascii=False) + "\n"
    (out / f"{name}-{present_version()}.cdx.json").write_text(text, "utf-8")


def sums(folder: Path) -> Iterator[str]:
    """Yield a line for each file, as ``sha256sum`` prints and checks it."""
    for path in sorted(folder.iterdir()):
        if path.name != SUMS:
            yield f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"


def write_sums(out: Path) -> None:
    """Write the digests of all files."""
    (out / SUMS).write_text("".join(sums(out)), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
