"""Build hook that includes the shared test vectors, which are outside the package folder."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    """Include ``docs/test-vectors``; an unpacked source distribution already has a copy."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the vectors to the archive; an editable package reads them in the repository."""
        vectors = Path(self.root).parent / "docs/test-vectors"
        if vectors.is_dir() and version != "editable":
            prefix = "" if self.target_name == "wheel" else "src/"
            path = f"{prefix}runforge_conformance/vectors"
            build_data["force_include"][str(vectors)] = path
