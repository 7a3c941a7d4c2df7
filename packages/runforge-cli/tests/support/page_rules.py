"""What every report must satisfy: valid HTML without anything active, or plain Markdown."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import html5lib
from markdown_it import MarkdownIt

TAGS = re.findall(
    r"\S+",
    """html head meta title style body header main nav footer section h1 h2 h3 h4 p ul li a code pre
    dl dt dd div table caption thead tbody tr th td small figure figcaption strong details summary
    span wbr svg desc path rect line circle text""",
)
ATTRIBUTES = re.findall(
    r"\S+",
    """lang charset http-equiv content name id class href scope role tabindex aria-label
    aria-labelledby aria-hidden focusable viewBox preserveAspectRatio colspan d x y x1 y1 x2 y2
    cx cy r width height text-anchor transform""",
)


def parsed(page: str) -> Any:
    """Return the elements of a page, which the HTML standard must find nothing wrong with."""
    parser = html5lib.HTMLParser(
        tree=html5lib.getTreeBuilder("etree"), strict=True, namespaceHTMLElements=False
    )
    return parser.parse(page)


def local(name: str) -> str:
    return name.rpartition("}")[2]


def check_harmless(page: str) -> Any:
    """Check that a page holds no element, attribute or character that could do anything.

    None of the attributes loads anything, and none of the links leads out of the page.
    """
    tree = parsed(page)
    policy, styles = "", []
    for element in tree.iter():
        assert local(element.tag) in TAGS, element.tag
        for name, value in element.attrib.items():
            assert local(name) in ATTRIBUTES, (element.tag, name)
            assert name != "href" or re.fullmatch(r"#(s\d+|run-[A-Z]+)", value)
        if element.tag == "style":
            styles.append(element.text)
        if element.attrib.get("http-equiv") == "Content-Security-Policy":
            policy = element.attrib["content"]
    (style,) = styles
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert f"style-src 'sha256-{digest}';" in policy
    assert not re.search(r"url\(|@import|expression", style)
    for character in page:
        assert character == "\n" or unicodedata.category(character) not in ("Cc", "Cf"), character
    identities = [e.attrib["id"] for e in tree.iter() if "id" in e.attrib]
    assert len(identities) == len(set(identities))
    links = [e.attrib["href"] for e in tree.iter("a")]
    assert {link[1:] for link in links} <= set(identities)
    return tree


def texts(tree: Any, tag: str) -> list[str]:
    return ["".join(e.itertext()) for e in tree.iter() if local(e.tag) == tag]


def check_plain_markdown(text: str) -> list[Any]:
    """Check that Markdown holds no HTML, link or image, and return its tokens."""
    tokens = list(_tokens(MarkdownIt("gfm-like", {"html": True}).parse(text)))
    kinds = {token.type for token in tokens}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "s_open", "code_block"}
    for character in text:
        assert character == "\n" or unicodedata.category(character) not in ("Cc", "Cf")
    return tokens


def _tokens(tokens: Any) -> Iterator[Any]:
    for token in tokens:
        yield token
        yield from _tokens(token.children or ())
