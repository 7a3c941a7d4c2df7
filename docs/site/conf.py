"""Settings of Sphinx for the documentation site; `make docs` uses them."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import runforge_contracts
import runforge_engine.experiment
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import ExtensionMetadata

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from reference import heading_anchor

project = "RunForge"
copyright = "the RunForge developers, MIT licence"  # noqa: A001 - Sphinx names it
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

html_theme = "furo"
html_title = "RunForge"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_copy_source = False
html_show_sphinx = False
# A list of all names of all pages is long and of no use beside the search.
html_use_index = False
html_domain_indices = False
# A page that was opened from a folder may not fetch others to quote from.
html_show_search_summary = False
# A block may hold a part of a document, or a language that has no lexer.
suppress_warnings = ["misc.highlighting_failure"]

# Links are resolved where the pages are collected, as a forge does it.
myst_all_links_external = True
# Dashes between the name of a parameter and what it is; quotes stay as they are typed.
smartquotes_action = "D"

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
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


def public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.TextElement
) -> nodes.Element | None:
    """Lead a reference to where a function is defined to the package that exports it."""
    for package in (runforge_contracts, runforge_engine, runforge_engine.experiment):
        for name in package.__all__:
            value = getattr(package, name)
            defined = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
            if defined == node["reftarget"]:
                public = f"{package.__name__}.{name}"
                role, page = node["reftype"], node["refdoc"]
                python = env.domains.python_domain
                return python.resolve_xref(env, page, app.builder, role, public, node, shown)
    return None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register what this site adds to Sphinx."""
    app.add_transform(ForgeAnchors)
    app.connect("missing-reference", public_name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
