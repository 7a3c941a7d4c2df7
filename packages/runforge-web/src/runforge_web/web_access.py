"""Who may talk to the server: this machine's browser, after it was given the token.

A page of another site can make a browser send requests here, and a name of that site can be made to
resolve to this machine (DNS rebinding). So the ``Host`` must be ours, the ``Origin`` must be ours
or absent, and everything needs a cookie that other sites cannot send. Forms need a second token,
which only our own pages contain.

Source: OWASP, "Cross-Site Request Forgery Prevention"; W3C, "Fetch Metadata Request Headers".
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qs

#: The names by which a browser on this machine may address the server.
_NAMES = ("127.0.0.1", "localhost")
#: Methods that are answered at all; ``POST`` is the only one that does something.
_METHODS = ("GET", "HEAD", "POST")
#: Longest address that is answered, in bytes: the comparison of 200 runs fits; and all headers.
MAX_ADDRESS, MAX_HEADERS = 16_384, 32_768


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: int
    reason: str


class WebAccess:
    """The secrets of one server, and the checks of a request.

    Parameters
    ----------
    port
        The port on which the server listens.
    """

    def __init__(self, port: int) -> None:
        self._token = secrets.token_urlsafe(24)
        self._session = secrets.token_urlsafe(24)
        #: What every form of our pages sends along.
        self.csrf = secrets.token_urlsafe(24)
        self._hosts = frozenset(f"{name}:{port}" for name in _NAMES)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        #: A cookie belongs to a host, not to a port, so another server needs another name.
        self._cookie = f"runforge_ui_{port}"
        #: The address to open, with the token.
        self.address = f"http://{_NAMES[0]}:{port}/?token={self._token}"

    @property
    def cookie(self) -> str:
        """The header that makes a browser keep the session."""
        return f"{self._cookie}={self._session}; Path=/; HttpOnly; SameSite=Strict"

    def refusal(self, method: str, target: str, headers: Mapping[str, str]) -> Refusal | None:
        """Return why a request is not answered, or None; the session is not checked.

        Parameters
        ----------
        method
            The method.
        target
            Path and query.
        headers
            The headers by their names in lower case.
        """
        if len(target) > MAX_ADDRESS:
            return Refusal(414, "The address is too long.")
        if sum(len(name) + len(value) for name, value in headers.items()) > MAX_HEADERS:
            return Refusal(431, "The headers are too long.")
        if method not in _METHODS:
            return Refusal(405, "This method is not used here.")
        if headers.get("host", "") not in self._hosts:
            return Refusal(421, "This server answers to 127.0.0.1 alone.")
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        if origin is not None and origin not in self._origins:
            return Refusal(403, "The request comes from another site.")
        if method == "POST" and origin is None:
            return Refusal(403, "The request does not say which site it comes from.")
        followed = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if site not in ("none", "same-origin") and not followed:
            return Refusal(403, "The request comes from another site.")
        return None

    def has_session(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request has the cookie of this server."""
        # Other servers of this host name set cookies, too: some that no strict parser reads, and a
        # hostile one of our name. Neither may lock the user out.
        pairs = (pair.partition("=") for pair in headers.get("cookie", "").split(";"))
        return any(
            name.strip() == self._cookie and _equal(value.strip(), self._session)
            for name, _, value in pairs
        )

    def brings_token(self, path: str, query: bytes) -> bool:
        """Return whether an address is the one that was printed."""
        if path != "/" or len(query) > 200:
            return False
        given = parse_qs(query.decode("latin-1")).get("token", [""])
        return _equal(given[0], self._token)

    def is_ours(self, csrf: str) -> bool:
        """Return whether a form was one of our pages."""
        return _equal(csrf, self.csrf)


def _equal(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode())
