"""Settings of Sphinx for the documentation site; `make docs` uses them."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from reference import heading_anchor

project = "RunForge"
copyright = "the RunForge developers, MIT licence"  # noqa: A001 - Sphinx names it
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

html_theme = "furo"
html_title = "RunForge"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
# A list of all names of all pages is long and of no use beside the search.
html_use_index = False
html_domain_indices = False
# A page that was opened from a folder may not fetch others to quote from.
html_show_search_summary = False
pygments_style = "friendly"
pygments_dark_style = "monokai"
# A block may hold a part of a document, or a language that has no lexer.
suppress_warnings = ["misc.highlighting_failure"]

# Links are resolved where the pages are collected, as a forge does it.
myst_all_links_external = True
smartquotes = False

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
napoleon_google_docstring = False
napoleon_use_rtype = False
add_module_names = False


class ForgeAnchors(SphinxTransform):
    """Give each section the id that a forge gives its heading, so that links work in both."""

    default_priority = 870  # before the contents of the page are collected

    def apply(self, **_: Any) -> None:
        """Put the anchor before the ids that docutils made."""
        seen: Counter[str] = Counter()
        for section in self.document.findall(nodes.section):
            anchor = heading_anchor(section[0].astext())
            repeated = seen[anchor]
            seen[anchor] += 1
            anchor = f"{anchor}-{repeated}" if repeated else anchor
            section["ids"] = [anchor]


def setup(app: Sphinx) -> None:
    """Register what this site adds to Sphinx."""
    app.add_transform(ForgeAnchors)
