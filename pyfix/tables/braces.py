"""Lists in table names: words between commas and white space, where ``{ }`` keeps what is inside together.

Source: postconf(5), inline:, pipemap:, unionmap:, randmap:, static: in DATABASE_README.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from typing import Final


SEPARATORS: Final = ", \t\r\n"
TO_BLANKS: Final = dict.fromkeys(map(ord, SEPARATORS), " ")
"""For str.translate(): makes every separator a blank."""


class BraceError(ValueError):
    """Braces that do not match; its text says how."""


def split_words(text: str) -> list[str]:
    """Return the words of *text*; a ``{`` protects separators up to its ``}``, and stays in the word."""
    if "{" not in text:
        return [word for word in text.translate(TO_BLANKS).split(" ") if word]
    words = []
    start, depth = -1, 0
    for position, character in enumerate(text):
        if start < 0:
            if character in SEPARATORS:
                continue
            start = position
        elif depth <= 0 and character in SEPARATORS:
            words.append(text[start:position])
            start, depth = -1, 0
            continue
        if character == "{":
            depth += 1
        elif character == "}" and depth > 0:
            depth -= 1
    if start >= 0:
        words.append(text[start:])
    return words


def matching(text: str, start: int = 0) -> int:
    """Return where the brace closes that *text* has at *start*; -1 when it does not."""
    depth = 0
    for position in range(start, len(text)):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
    return -1


def unbrace(text: str) -> str:
    """Return what stands between the braces of *text*, without blanks at its ends.  Raises BraceError."""
    if not text.startswith("{"):
        raise BraceError(f"no '{{' at start of text in \"{text}\"")
    end = matching(text)
    if end < 0:
        raise BraceError(f"missing '}}' in \"{text}\"")
    if text[end + 1 :].strip():
        raise BraceError(f"syntax error after '}}' in \"{text}\"")
    return text[1:end].strip()


def members(reference: str, name: str, what: str) -> list[str]:
    """Return the words of a table name of the form ``{word, word...}``.

    Raises BraceError with Postfix's text; *what* is what the table wants there, as in ``type:name``.
    """
    kind = reference.partition(":")[0]
    if len(name) < 2 or name[0] != "{" or name[-1] != "}" or matching(name) != len(name) - 1:
        raise BraceError(f'bad syntax: "{reference}"; need "{kind}:{{{what}...}}"')
    return split_words(name[1:-1])
