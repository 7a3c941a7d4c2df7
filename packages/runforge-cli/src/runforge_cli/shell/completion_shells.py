"""Completion in bash, zsh and fish, with what Click's own lacks.

In bash, Click offers a value as it is, so that a column named ``$(reboot)`` would become a command
of the line; it shows no explanations, and does not complete after ``=`` or ``:``. In zsh and fish
it loses the start of ``--option=value``, and in fish what follows a comma.

Source: Click documentation, "Shell Completion"; Bash reference manual, section 8.6.
"""

from __future__ import annotations

import shlex
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

#: ``read -r`` leaves a value as it is; after ``=`` no space is added. Explanations are shown only
#: in a list (COMP_TYPE 63 and 33): elsewhere bash would insert them.
_BASH = r"""
%(complete_func)s() {
    local response type value about index
    local -a abouts=()
    response=$(env COMP_WORDS="$(printf '%%s\n' "${COMP_WORDS[@]}")" COMP_CWORD="$COMP_CWORD" \
        %(complete_var)s=bash_complete "$1")
    COMPREPLY=()
    while IFS=$'\t' read -r value about; do
        type=${value%%%%,*}
        value=${value#*,}
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                COMPREPLY+=("$value")
                abouts+=("$about")
                if [[ $value == *= ]]; then compopt -o nospace; fi ;;
        esac
    done <<<"$response"
    if ((${#COMPREPLY[@]} > 1)) && [[ $COMP_TYPE == 63 || $COMP_TYPE == 33 ]]; then
        for index in "${!COMPREPLY[@]}"; do
            COMPREPLY[index]+=${abouts[index]:+  (${abouts[index]})}
        done
    fi
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

#: Only the first comma ends the kind of a value.
_FISH = r"""
function %(complete_func)s
    set -l words (commandline -cp | string collect)
    set -l word (commandline -ct | string collect)
    set -l response (env %(complete_var)s=fish_complete COMP_WORDS="$words" COMP_CWORD="$word" \
        %(prog_name)s)
    for completion in $response
        set -l parts (string split -m 1 "," -- $completion)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo -- $parts[2]
        end
    end
end
complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class _QuietComplete(ShellComplete):
    """Completion that offers nothing after a mistake, of which the command itself will tell."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return what can follow the words before."""
        try:
            return super().get_completions(args, incomplete)
        except click.UsageError:
            return []


@add_completion_class
class QuotingBashComplete(_QuietComplete, BashComplete):
    """Completion for bash that quotes values and joins words that bash splits at ``=`` or ``:``."""

    source_template = _BASH
    #: The part of the word being completed that bash counts as words of their own.
    _typed = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the last one, and the last one."""
        arguments, incomplete = super().get_completion_args()
        words: list[str] = []
        for word in [*arguments, incomplete]:
            if words and (word[:1] in ("=", ":") or words[-1][-1:] in ("=", ":")):
                words[-1] += word
            else:
                words.append(word)
        last = words.pop() if words else ""
        value = last.partition("=")[2] if last.startswith("--") and "=" in last else last
        self._typed = value[: max(value.rfind("="), value.rfind(":")) + 1]
        return words, last

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return the line of a completion: its kind, the text to insert, and what explains it."""
        value = str(item.value)
        if item.type != "plain":
            return f"{item.type},"
        end = "=" if value.endswith("=") else ""
        value = value.removeprefix(self._typed).removesuffix(end)
        about = f"\t{item.help}" if item.help else ""
        return f"plain,{shlex.quote(value) if value else ''}{end}{about}"


@add_completion_class
class PrefixingZshComplete(_QuietComplete, ZshComplete):
    """Completion for zsh that keeps the option of ``--option=value``."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return the completions of the word as a whole."""
        return _whole(super().get_completions(args, incomplete), incomplete)


@add_completion_class
class PrefixingFishComplete(_QuietComplete, FishComplete):
    """Completion for fish that keeps the option of ``--option=value`` and all after a comma."""

    source_template = _FISH

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return the completions of the word as a whole."""
        return _whole(super().get_completions(args, incomplete), incomplete)


def _whole(items: list[CompletionItem[str]], incomplete: str) -> list[CompletionItem[str]]:
    """Return ``items`` with the start of the word being completed up to the ``=`` of its option."""
    option, equals, _ = incomplete.partition("=")
    if option.startswith("--") and equals:
        for item in items:
            item.value = f"{option}={item.value}"
    return items
