"""Detect likely secrets, by the name of a variable or by the form of its value.

The detection errs on the safe side: to record such a value, allow it explicitly. The forms are
those that issuers give their tokens so that scanners can find them.

Source: GitHub, "Supported secret scanning patterns"; RFC 7519, section 3; RFC 7468, section 10.
"""

from __future__ import annotations

import re

#: Words in a name that indicate a secret, and suffixes of compound words.
_WORDS = frozenset({"KEY", "PASS", "PWD", "AUTH", "DSN"})
_ENDINGS = (
    *("TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL"),
    *("APIKEY", "ACCESSKEY", "SECRETKEY", "PRIVATEKEY", "SIGNINGKEY"),
)
#: The working directory, which shells keep in a variable.
_HARMLESS_NAMES = frozenset({"PWD", "OLDPWD"})
#: Values that are not secrets unless the name is clear: empty, a switch, or a number.
_HARMLESS = re.compile(r"|true|false|yes|no|on|off|none|null|-?[0-9]{1,9}(\.[0-9]+)?", re.I)
_CERTAIN = ("SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
#: Patterns of tokens, by description.
_FORMS = {
    "a token of GitHub": r"\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_[A-Za-z0-9_]{20,}",
    "a token of GitLab": r"\bglpat-[A-Za-z0-9_-]{16,}",
    "an access key of AWS": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a token of Hugging Face": r"\bhf_[A-Za-z0-9]{16,}",
    "an API key": r"\b[sr]k-[A-Za-z0-9_-]{16,}|\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
    "an API key of Google": r"\bAIza[A-Za-z0-9_-]{35}",
    "a token of Slack": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "a token of a package index": r"\bpypi-[A-Za-z0-9_-]{16,}|\bnpm_[A-Za-z0-9]{16,}",
    "a JSON Web Token": r"\beyJ[A-Za-z0-9_-]{5,}\.eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an authorization header": r"\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{16,}",
    "an address with a password": r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#@]*:[^\s/?#@]+@",
}
_FORM = re.compile("|".join(f"({form})" for form in _FORMS.values()))
_WHAT = tuple(_FORMS)


def secret_form(value: str) -> str | None:
    """Return the kind of credential that a value looks like, such as ``a token of GitHub``."""
    found = _FORM.search(value)
    return None if found is None or found.lastindex is None else _WHAT[found.lastindex - 1]


def without_secrets(text: str) -> str:
    """Return ``text`` with ``REDACTED`` in place of everything that looks like a token."""
    return _FORM.sub("REDACTED", text)


def reason_to_withhold(name: str, value: str) -> str | None:
    """Return why the value of a variable is probably a secret, as the rest of a sentence."""
    form = secret_form(value)
    if form is not None:
        return f"it looks like {form}"
    if name in _HARMLESS_NAMES:
        return None
    words = [word.upper() for word in _WORD.findall(name)]
    singular = [word.removesuffix("S") if word not in _WORDS else word for word in words]
    certain = any(word.endswith(_CERTAIN) for word in singular)
    if not certain and _HARMLESS.fullmatch(value.strip()):
        return None
    if certain or any(word in _WORDS or word.endswith(_ENDINGS) for word in singular):
        return "its name is that of a secret"
    return None
