"""The configuration of a run: model defaults, preset, profile and overrides, merged by precedence.

Source: specification, sections 12.4 to 12.6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.codec.strict_json import canonical_json
from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError

from runforge_engine.modeling.families import FAMILIES, Family, Hyperparameter

ParameterSource = Literal["cli", "request", "profile", "preset", "model_default"]

#: Other names of the presets, which editors use.
PRESET_ALIASES = {"std-train": "balanced", "hq-train": "thorough"}


@dataclass(frozen=True, slots=True)
class Profile:
    """A named, versioned set of hyperparameters."""

    name: str
    #: The family that it is made for; None for any.
    family: str | None
    parameters: Mapping[str, Any]
    version: str = "1.0"

    @property
    def expanded_parameters_hash(self) -> str:
        """SHA-256 of the canonical JSON of the parameters that the profile sets."""
        return hashlib.sha256(canonical_json(dict(self.parameters))).hexdigest()


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("default", None, {}),
        Profile("fast", "logistic_regression", {"max_iter": 50}),
        Profile("thorough", "random_forest", {"n_estimators": 200, "max_depth": 10}),
    )
}


#: The family that is trained when none is named.
DEFAULT_FAMILY = "logistic_regression"
#: Seed of the split and the estimator when the request names none.
DEFAULT_SEED = 42


@dataclass(frozen=True, slots=True)
class UsedParameter:
    """A hyperparameter as the run uses it, and where its value came from."""

    name: str
    value: Any
    source: ParameterSource


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is trained; it is complete, without a library's defaults."""

    family: str
    preset: str
    profile: Profile | None
    #: Every hyperparameter of the family, in the order of its table.
    hyperparameters: tuple[UsedParameter, ...]
    seed: int

    def estimator_parameters(self) -> dict[str, Any]:
        """Return the full parameter set of the estimator."""
        values = {item.name: item.value for item in self.hyperparameters}
        return {**FAMILIES[self.family].fixed, **values, "random_state": self.seed}


def family_of(profile: str | None) -> str:
    """Return the family that is trained when none is named: the profile's, or the default."""
    made_for = PROFILES[profile].family if profile in PROFILES else None
    return made_for or DEFAULT_FAMILY


def family_for_editor(family: str, profile: str | None) -> tuple[str, list[Diagnostic]]:
    """Return the family to train for an editor, which always sends one; the profile's wins.

    Parameters
    ----------
    family, profile
        As the editor sends them.

    Returns
    -------
    tuple
        The family, and a diagnostic where it differs from the one sent.
    """
    made_for = PROFILES[profile].family if profile in PROFILES else None
    if made_for in (None, family):
        return family, []
    changed = diagnostic(
        DiagnosticCode.FAMILY_FROM_PROFILE,
        f"The model family is `{made_for}`, for which the profile `{profile}` is made, and not"
        f" {quote(family)}.",
        profile=profile,
        model_family=made_for,
        asked=family,
    )
    return made_for, [changed]


def resolve(
    *,
    family: str,
    preset: str,
    profile: str | None,
    hyperparameters: Mapping[str, Any],
    cli_names: Collection[str] = (),
    seed: int,
) -> Configuration:
    """Merge model defaults, preset, profile and overrides into a configuration.

    Parameters
    ----------
    family, preset, profile
        Names; a preset may have its editor's name (``std-train``, ``hq-train``).
    hyperparameters
        Overrides by name, which win over everything else.
    cli_names
        Names of the overrides given on the command line.
    seed
        Seed of the split and the estimator.

    Raises
    ------
    RunForgeError
        ``MODEL_FAMILY_UNKNOWN``, ``PRESET_UNKNOWN``, ``PROFILE_UNKNOWN``,
        ``PROFILE_FAMILY_MISMATCH``, ``HYPERPARAMETER_UNKNOWN`` or ``HYPERPARAMETER_INVALID``.
    """
    table = family_table(family)
    preset = PRESET_ALIASES.get(preset, preset)
    if preset not in table.presets:
        raise _unknown(ErrorCode.PRESET_UNKNOWN, "preset", preset, table.presets, "/preset")
    chosen = None if profile is None else _profile(profile, family)
    accepted = _accept(hyperparameters, family, table)
    layers: tuple[tuple[ParameterSource, Mapping[str, Any]], ...] = (
        ("profile", chosen.parameters if chosen else {}),
        ("preset", table.presets[preset]),
    )
    used = []
    for name, parameter in table.hyperparameters.items():
        if name in accepted:
            source: ParameterSource = "cli" if name in cli_names else "request"
            used.append(UsedParameter(name, accepted[name], source))
            continue
        source, values = next(
            ((source, values) for source, values in layers if name in values),
            ("model_default", {name: parameter.default}),
        )
        used.append(UsedParameter(name, values[name], source))
    return Configuration(family, preset, chosen, tuple(used), seed)


def check_classes(configuration: Configuration, num_classes: int) -> None:
    """Refuse a configuration that does not support so many classes.

    Raises
    ------
    RunForgeError
        ``HYPERPARAMETER_INVALID`` for the liblinear solver and more than two classes.
    """
    solver = configuration.estimator_parameters().get("solver")
    if solver == "liblinear" and num_classes > 2:
        raise RunForgeError(
            ErrorCode.HYPERPARAMETER_INVALID,
            f"The solver `liblinear` handles two classes; the dataset has {num_classes}.",
            hint="Choose another solver, such as `lbfgs`.",
            pointer="/model/hyperparameters/solver",
        )


def parse_parameters(texts: Iterable[str]) -> dict[str, Any]:
    """Return the hyperparameters of ``NAME=VALUE`` strings, each once.

    A value is an integer, a number, true, false, none, or else a string. :func:`resolve` checks
    whether a family has such a hyperparameter.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` where there is no ``=``, or a name comes twice.
    """
    parameters: dict[str, Any] = {}
    written: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"{quote(text)} is not a parameter.",
                hint="Write it as NAME=VALUE, such as C=0.5.",
            )
        if name in written:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"The parameter {quote(name)} is given twice: {quote(written[name])} and"
                f" {quote(value)}.",
                hint="A run has one value of each; `runforge sweep` trains a run for each value of"
                " --grid NAME=V1,V2.",
                pointer=format_pointer(("model", "hyperparameters", name)),
            )
        written[name] = value
        parameters[name] = _typed(value)
    return parameters


def value_text(value: Any) -> str:
    """Return the value of a hyperparameter as it is typed after ``NAME=``."""
    if isinstance(value, bool | None):
        return str(value).lower()
    return str(value)


def family_table(family: str) -> Family:
    """Return the table of ``family``; ``MODEL_FAMILY_UNKNOWN`` where there is none."""
    if family not in FAMILIES:
        raise _unknown(
            ErrorCode.MODEL_FAMILY_UNKNOWN, "model family", family, FAMILIES, "/model/family"
        )
    return FAMILIES[family]


def _typed(text: str) -> Any:
    words = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


def _profile(name: str, family: str) -> Profile:
    if name not in PROFILES:
        raise _unknown(ErrorCode.PROFILE_UNKNOWN, "profile", name, PROFILES, "/profile")
    profile = PROFILES[name]
    if profile.family not in (None, family):
        raise RunForgeError(
            ErrorCode.PROFILE_FAMILY_MISMATCH,
            f"The profile `{name}` is made for `{profile.family}`, not for `{family}`.",
            hint=f"Choose the model family `{profile.family}`, or leave the profile out.",
            pointer="/profile",
        )
    return profile


def _accept(overrides: Mapping[str, Any], family: str, table: Family) -> dict[str, Any]:
    """Return the overrides in their own types, or raise with every mistake in them."""
    accepted: dict[str, Any] = {}
    problems: list[Problem] = []
    code = ErrorCode.HYPERPARAMETER_INVALID
    for name, value in overrides.items():
        place = Location(pointer=format_pointer(("model", "hyperparameters", name)))
        parameter = table.hyperparameters.get(name)
        if parameter is None:
            code = ErrorCode.HYPERPARAMETER_UNKNOWN
            hint = _suggest(name, table.hyperparameters)
            problems.append(
                Problem(f"`{family}` has no hyperparameter {quote(name)}.", place, hint)
            )
            continue
        try:
            accepted[name] = parameter.accept(value)
        except ValueError:
            hint = (
                f"`{name}` is {parameter.expects}; its default is {value_text(parameter.default)}."
            )
            problems.append(Problem(_refusal(name, value, parameter), place, hint))
    if problems:
        first = problems[0]
        raise RunForgeError(
            code,
            first.message
            if len(problems) == 1
            else f"{len(problems)} hyperparameters are not valid for `{family}`.",
            hint=first.hint if len(problems) == 1 else None,
            pointer=first.location.pointer if len(problems) == 1 else None,
            problems=problems if len(problems) > 1 else (),
        )
    return accepted


def _refusal(name: str, value: Any, parameter: Hyperparameter) -> str:
    return f"The hyperparameter `{name}` is {quote(value)}; expected {parameter.expects}."


def _unknown(
    code: ErrorCode, what: str, name: str, known: Iterable[str], pointer: str
) -> RunForgeError:
    return RunForgeError(
        code, f"There is no {what} {quote(name)}.", hint=_suggest(name, known), pointer=pointer
    )


def _suggest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = get_close_matches(name.lower().replace("-", "_"), known, n=1)
    choices = ", ".join(f"`{item}`" for item in known)
    return (f"Did you mean `{near[0]}`? " if near else "") + f"There are {choices}."
