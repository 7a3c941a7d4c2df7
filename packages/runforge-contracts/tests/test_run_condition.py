"""Conditions on runs: what they may look like, what they mean, and what is said of wrong ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runforge_contracts.errors import ErrorCode, RunForgeError, UsageError
from runforge_contracts.selection.run_condition import (
    MAX_LENGTH,
    OPERATORS,
    RunCondition,
    parse_condition,
    parse_conditions,
    value_text,
)

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C<0.1", ("C", "<", "0.1", False)),
        ("accuracy>=0.9", ("accuracy", ">=", "0.9", False)),
        ("model=random_forest", ("model", "=", "random_forest", False)),
        ("model==random_forest", ("model", "=", "random_forest", False)),
        ("  C  !=  1  ", ("C", "!=", "1", False)),
        ("name~first try", ("name", "~", "first try", False)),
        ('name="first try"', ("name", "=", "first try", True)),
        ("name=''", ("name", "=", "", True)),
        ("name='a\\b\"c'", ("name", "=", 'a\\b"c', True)),
        ('name="a\\u001b\\"b"', ("name", "=", 'a\x1b"b', True)),
        ('"my metric" > -1e-3', ("my metric", ">", "-1e-3", False)),
        ("'a=b'~c", ("a=b", "~", "c", False)),
        ("name=it's", ("name", "=", "it's", False)),
        ("param.C<=1", ("param.C", "<=", "1", False)),
        ("label=π<>", ("label", "=", "π<>", False)),
    ],
)
def test_a_condition_is_a_name_an_operator_and_a_value(text: str, expected: Any) -> None:
    assert tuple(parse_condition(text))[:4] == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the name is missing at character 1."),
        ("   ", "the name is missing at character 4."),
        ("=1", "the name is missing at character 1."),
        ("C", "an operator is missing at character 2 after `C`."),
        ("C 0.1", "expected an operator at character 3 after `C `."),
        ("C!0.1", "expected an operator at character 2 after `C`."),
        ("C<", 'the value is missing (`""` is an empty one) at character 3 after `C<`.'),
        ("C=<1", "no such operator; quote a value that begins like one at character 3 after `C=`."),
        ("C<>1", "no such operator; quote a value that begins like one at character 3 after `C<`."),
        ('name="a', "the quote is not closed at character 6 after `name=`."),
        ("'name=a", "the quote is not closed at character 1."),
        ('name="a" b', "expected the end after the quoted value at character 10"),
        ('name="\\x"', "the string in double quotes is not a JSON string at character 6"),
        ("a b=1", "expected an operator at character 3 after `a `."),
        ("\x1b[2J\n", "an operator is missing"),
    ],
)
def test_a_wrong_condition_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(RunForgeError) as caught:
        parse_condition(text)
    assert caught.value.code is ErrorCode.USAGE_INVALID
    assert problem in caught.value.message
    assert "\x1b" not in caught.value.message
    assert "NAME" in (caught.value.hint or "")


def test_a_very_long_condition_is_refused() -> None:
    with pytest.raises(RunForgeError, match="more than the 4,096"):
        parse_condition("C=" + "1" * MAX_LENGTH)


@given(ANY_TEXT)
def test_any_string_is_a_condition_or_refused(text: str) -> None:
    try:
        condition = parse_condition(text)
    except UsageError:
        return
    assert parse_condition(str(condition)) == condition


@given(ANY_TEXT, st.sampled_from(OPERATORS), ANY_TEXT)
def test_any_name_and_value_can_be_quoted(name: str, operator: str, value: str) -> None:
    condition = RunCondition(name, operator, value, is_quoted=True)
    assert parse_condition(str(condition)) == condition


SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False)
) | ANY_TEXT


@given(st.lists(SCALARS, max_size=2), ANY_TEXT, st.booleans())
def test_equal_and_unequal_divide_the_runs_in_two(
    values: list[Any], value: str, quoted: bool
) -> None:
    equal = RunCondition("x", "=", value, quoted).holds(values)
    assert RunCondition("x", "!=", value, quoted).holds(values) is not equal
    for operator in OPERATORS:
        RunCondition("x", operator, value, quoted).holds(values, prefix=True)


@given(st.lists(SCALARS, max_size=1), st.sampled_from([*OPERATORS]), ANY_TEXT)
def test_a_missing_value_fulfils_only_unequal(values: list[Any], operator: str, value: str) -> None:
    assert RunCondition("x", operator, value).holds([]) is (operator == "!=")


def test_unequal_excludes_many_strings() -> None:
    condition = RunCondition("group", "!=", "a", is_quoted=True, others=frozenset({"b", "c"}))
    kept = [values for values in ([], ["a"], ["b"], ["d"], [1], [["b"]]) if condition.holds(values)]
    assert kept == [[], ["d"], [1], [["b"]]]


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60))
def test_a_number_equals_its_own_text(number: float) -> None:
    assert parse_condition(f"x={value_text(number)}").holds([number])
    assert not parse_condition(f'x="{value_text(number)}"').holds([number])


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("x<0.1", 0.01, True),
        ("x<0.1", 0.1, False),
        ("x<=0.1", 0.1, True),
        ("x=1", 1.0, True),
        ("x=1", True, False),
        ("x=1", "1", True),
        ("x=01", "1", False),
        ("x=true", True, True),
        ("x=True", True, True),
        ("x=none", None, True),
        ("x=null", None, True),
        ('x="none"', None, False),
        ("x=none", "none", True),
        ("x<5", "abc", False),
        ("x<b", "abc", True),
        ("x>b", 5, False),
        ("x<5", None, False),
        ("x<5", True, False),
        ("x~LBF", "lbfgs", True),
        ("x~1", 0.1, True),
        ("x~on", None, True),
        ("x>=1e400", 1, False),
        ("x=" + "9" * 400, 1, False),
        ("x=[1]", [1], True),
    ],
)
def test_values_are_compared_by_their_kind(text: str, value: Any, expected: bool) -> None:
    assert parse_condition(text).holds([value]) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("created=2026-02", True),
        ("created>=2026", True),
        ("created>2026", False),
        ("created<=2026-02-01", True),
        ("created<2026-02-01", False),
        ("created>2026-02-01T11", True),
        ("created!=2026-03", True),
    ],
)
def test_times_are_compared_as_far_as_they_are_given(text: str, expected: bool) -> None:
    assert parse_condition(text).holds(["2026-02-01T12:00:00Z"], prefix=True) is expected


def test_conditions_are_given_one_by_one() -> None:
    assert parse_conditions("C<1") == (parse_condition("C<1"),)
    assert parse_conditions(["C<1", "a=b"]) == (parse_condition("C<1"), parse_condition("a=b"))
