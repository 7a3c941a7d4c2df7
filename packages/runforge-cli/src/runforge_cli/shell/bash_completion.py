"""Completion in bash, with what Click's own lacks: quoting, ``--option=value`` and ``name=``.

Click offers a value as it is, so that a column named ``$(reboot)`` would become a command of the
line. Source: Click, documentation, "Shell Completion"; bash, manual, section 8.6.
"""

from __future__ import annotations

import shlex

from click.shell_completion import BashComplete, CompletionItem, add_completion_class

#: ``read -r`` and ``set -f`` leave a value as it is; after ``=`` no space is added.
_SOURCE = r"""
%(complete_func)s() {
    local response type value noglob
    response=$(env COMP_WORDS="$(printf '%%s\n' "${COMP_WORDS[@]}")" COMP_CWORD="$COMP_CWORD" \
        %(complete_var)s=bash_complete "$1")
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                COMPREPLY+=("$value")
                if [[ $value == *= ]]; then compopt -o nospace; fi ;;
        esac
    done <<<"$response"
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


@add_completion_class
class QuotingBashComplete(BashComplete):
    """Completion for bash that quotes values and joins words that bash splits at ``=`` or ``:``."""

    source_template = _SOURCE
    #: The part of the last word that bash counts as words of their own.
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

    def format_completion(self, item: CompletionItem) -> str:
        """Return the line for a completion: its kind and what replaces the last word."""
        value = str(item.value)
        if item.type != "plain":
            return f"{item.type},"
        end = "=" if value.endswith("=") else ""
        value = value.removeprefix(self._typed).removesuffix(end)
        return f"plain,{shlex.quote(value) if value else ''}{end}"
