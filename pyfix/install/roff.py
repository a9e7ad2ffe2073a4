"""Plain text as text of a manual page in the language of mdoc(7)."""

from __future__ import annotations

import re
import textwrap

_WIDTH = 78
_REFERENCE = re.compile(r"^([(]?)([a-z_-]+)\(([1-9])\)([.,;:)]*)$")
_NAME = re.compile(r"(?<!\S)[$(]*[a-z0-9]+_[a-z0-9_]+")
"""Names of parameters and restrictions, which are not hyphenated."""
_UNBROKEN = re.compile(r"[^ ]{50,}")
_PIECE = re.compile(r"(?:\\[(]..|\\.|[^\\]){1,30}")
"""Words so long that they have to be broken somewhere, and what stays together of them: not the half of an escape."""
_CODE = re.compile(r"``(.+?)``")


def escape(text: str) -> str:
    """Return *text* as one line that is shown as it is, quotes and backslashes too."""
    shown = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    shown = shown.replace('"', "\\(dq").replace("~", "\\(ti").replace("^", "\\(ha")
    shown = _NAME.sub("\\\\%\\g<0>", shown)
    shown = _UNBROKEN.sub(lambda found: "\\:".join(_PIECE.findall(found[0])), shown)
    return f"\\&{shown}" if shown[:1] in (".", "\\") else shown


def prose(text: str) -> list[str]:
    """Return the lines of a paragraph; ````code```` gets the font of code, ``name(section)`` is a reference."""
    plain = _CODE.sub(lambda found: found[1].replace(" ", "\0"), text)
    lines: list[str] = []
    for line in _words(plain):
        lines += [line] if line.startswith(".Xr ") else textwrap.wrap(line, _WIDTH, break_on_hyphens=False)
    return [_shown(line) for line in lines]


def _words(text: str) -> list[str]:
    """Return runs of plain text and, between them, references as macros."""
    runs: list[list[str]] = [[]]
    macros: list[str] = []
    for word in text.split(" "):
        found = _REFERENCE.match(word)
        if found is None:
            runs[-1].append(word)
            continue
        macros.append(".Xr " + " ".join([found[2], found[3], *found[4]]))
        if found[1]:
            runs[-1].append(found[1])
        runs.append([])
    lines: list[str] = []
    for index, run in enumerate(runs):
        if run:
            lines.append(" ".join(run))
        if index < len(macros):
            lines.append(macros[index])
    return lines


def _shown(line: str) -> str:
    if line.startswith(".Xr "):
        return line
    return escape(line.replace("\0", " "))
