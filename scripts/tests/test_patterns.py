"""The patterns of the schemas mean the same in every language that a client is written in."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from check_evolution import without_lookahead
from generate import with_python_patterns

ROOT = Path(__file__).parents[2]
SCHEMAS = {path: json.loads(path.read_text("utf-8")) for path in ROOT.glob("schemas/**/*.json")}
RELEASED = json.loads((ROOT / "packages/runforge-contracts/released/0.4.0.json").read_text("utf-8"))


def rules(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every subschema that has a pattern, with nothing but the pattern and its ``not``."""
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str) and "type" in value:
            yield {"type": "string", **{k: value[k] for k in ("pattern", "not") if k in value}}
        value = [child for key, child in value.items() if key != "not"]
    for child in value if isinstance(value, list) else ():
        yield from rules(child)


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for child in value:
            yield from texts(child)
        for child in value.values() if isinstance(value, dict) else ():
            yield from texts(child)


RULES = list({json.dumps(rule): rule for rule in rules(list(SCHEMAS.values()))}.values())
PATTERNS = sorted({rule["pattern"] for rule in RULES} | {rule["not"]["pattern"] for rule in RULES})


@cache
def corpus() -> list[str]:
    """Return the short texts of all examples, each also with small things wrong."""
    examples = [schema.get("examples", []) for schema in SCHEMAS.values()]
    words = {text for text in texts(examples) if len(text) <= 100}
    words |= {"run-2026-02-01-001", "2026-02-01T12:00:00+0100", "ä/ö", "a/..b/c..", "f" * 40}
    words |= {"client.vectors", "store-a", "request.v1.full.json", "cases/a", "2.11", "forms"}
    changed = set[str]()
    for word in words:
        changed |= {word, f"{word}\n", f"\n{word}", f"{word}\r", f"{word}\u2028", f"{word}\x00"}
        changed |= {word.upper(), word[:-1], word[1:], f"{word}x", f"{word}/..", f"../{word}"}
        changed |= {f"C:{word}", f"{word}/", f"/{word}", f"./{word}", f"{word}/./b", f"{word}😀"}
        changed |= {f"{word}\n\n", word.replace("/", "//"), word.replace("0", "０", 1)}
    return sorted(changed)


def accepted(rule: dict[str, Any]) -> list[str]:
    """Return the texts that a rule accepts, as the validator of the engine judges them."""
    validator = jsonschema_rs.Draft202012Validator(rule)
    return [text for text in corpus() if validator.is_valid(text)]


def rule_id(rule: dict[str, Any]) -> str:
    return str(rule["pattern"])


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_compiles_without_backtracking(pattern: str) -> None:
    re2 = pytest.importorskip("re2")
    re2.compile(pattern)


@pytest.mark.parametrize("pattern", [r"^a$(?!\n)", r"^(?=a)", r"^(a)\1$", r"^[^\u0000]$"])
def test_a_pattern_that_some_languages_lack_does_not_compile(pattern: str) -> None:
    re2 = pytest.importorskip("re2")
    options = re2.Options()
    options.log_errors = False
    with pytest.raises(re2.error):
        re2.compile(pattern, options)


@pytest.mark.parametrize("rule", RULES, ids=rule_id)
def test_the_validators_of_python_agree(rule: dict[str, Any]) -> None:
    good = accepted(rule)
    assert 0 < len(good) < len(corpus())
    assert not [text for text in good if "\n" in text]
    other = jsonschema.Draft202012Validator(rule)
    assert [text for text in corpus() if other.is_valid(text)] == good


@pytest.mark.parametrize("rule", RULES, ids=rule_id)
def test_linear_time_expressions_agree(rule: dict[str, Any]) -> None:
    re2 = pytest.importorskip("re2")
    pattern, refused = re2.compile(rule["pattern"]), re2.compile(rule["not"]["pattern"])
    good = [text for text in corpus() if pattern.search(text) and not refused.search(text)]
    assert good == accepted(rule)


@pytest.mark.needs("node")
def test_ecmascript_agrees() -> None:
    program = """
      const [rules, corpus] = JSON.parse(require("fs").readFileSync(0, "utf8"));
      const accepts = (rule) => {
        const pattern = new RegExp(rule.pattern, "u");
        const refused = new RegExp(rule.not.pattern, "u");
        return corpus.filter((text) => pattern.test(text) && !refused.test(text));
      };
      console.log(JSON.stringify(rules.map(accepts)));
    """
    done = subprocess.run(
        ["node", "-e", program],
        input=json.dumps([RULES, corpus()]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [accepted(rule) for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=rule_id)
def test_the_pattern_of_a_type_agrees(rule: dict[str, Any]) -> None:
    pattern = re.compile(with_python_patterns(rule)["pattern"])
    assert [text for text in corpus() if pattern.search(text)] == accepted(rule)


def test_the_released_patterns_mean_what_todays_mean() -> None:
    released = list(rules([entry["schema"] for entry in RELEASED.values()]))
    assert len(released) > 10
    for rule in released:
        pattern = re.compile(rule["pattern"])
        good = [text for text in corpus() if pattern.search(text)]
        assert good == accepted(without_lookahead(rule)), rule["pattern"]
