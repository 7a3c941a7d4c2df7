"""What is taken for a secret, and what is not."""

from __future__ import annotations

import pytest
from runforge_engine.experiment.config.secret_detection import (
    reason_to_withhold,
    secret_form,
    without_secrets,
)

FORMS = [
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "github_pat_11ABCDEFG0123456789_abcdefghij",
    "glpat-0123456789abcdefghij",
    "AKIAIOSFODNN7EXAMPLE",
    "hf_abcdefghijABCDEFGHIJ0123456789",
    "sk-proj-0123456789abcdefghij",
    "sk_live_0123456789abcdefghij",
    "AIza0123456789abcdefghijABCDEFGHIJ01234",
    "xoxb-0123456789-abcdefghij",
    "pypi-AgEIcHlwaS5vcmcCJDAxMjM0",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_123",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA",
    "Bearer 0123456789abcdefghij",
    "postgres://me:pw@example.org/db",
]


@pytest.mark.parametrize("value", FORMS)
def test_a_secret_is_recognized_by_its_format(value: str) -> None:
    assert secret_form(value) is not None
    for text in (value, f"before {value} behind", f"x={value}"):
        assert reason_to_withhold("HARMLESS", text) is not None
        assert value.splitlines()[0] not in without_secrets(text)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "species",
            "0.001",
            "/home/me/data.csv",
            "https://example.org/a?b=c",
            "me@example.org",
        ),
        *("task-0123456789abcdefghij", "git@example.org:a/b.git", "http://proxy:8080/", "hf_hub"),
        *("d41d8cd98f00b204e9800998ecf8427e", "-----BEGIN CERTIFICATE-----", "sklearn"),
    ],
)
def test_other_values_are_taken_as_they_are(value: str) -> None:
    assert secret_form(value) is None
    assert without_secrets(value) == value


@pytest.mark.parametrize(
    "name",
    [
        *("API_TOKEN", "GITHUB_TOKEN", "HF_TOKENS", "githubToken", "AUTHTOKEN", "TOKEN2", "token"),
        *("AWS_SECRET_ACCESS_KEY", "CLIENT_SECRET", "DB_PASSWORD", "PGPASSWORD", "SSH_PASSPHRASE"),
        *("WANDB_API_KEY", "APIKEY", "apiKey", "KEY", "SIGNING_KEYS", "GOOGLE_CREDENTIALS"),
        *("DB_PASS", "DB_PWD", "NPM_AUTH", "SENTRY_DSN"),
    ],
)
def test_a_secret_is_recognized_by_its_name(name: str) -> None:
    assert reason_to_withhold(name, "x y") == "its name is that of a secret"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("TOKENIZERS_PARALLELISM", "x"), ("KEYBOARD", "de"), ("MONKEY", "x"), ("AUTHOR", "me")),
        *(("PWD", "/home"), ("OLDPWD", "/"), ("COMPASS", "n"), ("PASSENGERS", "x"), ("PATH", "/")),
        *(("MAX_TOKENS", "512"), ("USE_TOKEN", "true"), ("SORT_KEY", ""), ("KEY", "0.5")),
    ],
)
def test_other_names_do_not(name: str, value: str) -> None:
    assert reason_to_withhold(name, value) is None


def test_a_password_may_be_a_number() -> None:
    assert reason_to_withhold("DB_PASSWORD", "123456") is not None
