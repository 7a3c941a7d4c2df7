"""Puts the shared vectors into the package; in the repository they lie beside it."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    """Includes ``docs/test-vectors``, unless an unpacked source distribution brings its copy."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the vectors to what is built; an editable package reads them where they are."""
        vectors = Path(self.root).parent / "docs/test-vectors"
        if vectors.is_dir() and version != "editable":
            prefix = "" if self.target_name == "wheel" else "src/"
            place = f"{prefix}runforge_conformance/vectors"
            build_data["force_include"][str(vectors)] = place
