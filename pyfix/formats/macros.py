"""The ``$name`` language of main.cf, master.cf, pipe(8), local(8) and bounce(5) templates.

Forms (source: postconf(5), "The general format of the main.cf file"; MACROS of pipe(8))::

    $$                      a dollar sign
    $name ${name} $(name)   the value of name
    ${name?text}            text when name has a value that is not empty
    ${name?{text}:{other}}  the same with an alternative
    ${name:text}            text when name is unset or empty
    ${domain_to_ascii{domain}} ${domain_to_utf8{domain}}
                            a domain name in its A-label or U-label form
    ${{left} == {right} ? {text} : {other}}
                            comparison: == != < <= > >=, or ==level <level ... for compatibility levels

A text is taken apart once and remembered; evaluating it is then a walk over small nodes.  A malformed
piece becomes a node too, because what stands before it is evaluated first.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final, TypeAlias

    Lookup: TypeAlias = Callable[[str, bool], str | None]
    """Called as ``lookup(name, test)`` for the value of a name; None when it is undefined.

    *test* is true when only emptiness matters (``${name?...}``): an implementation that expands values may then
    return the text as written.
    """

__all__ = ["Lookup", "MacroError", "compare_levels", "expand", "level", "referenced_names"]

_NAME: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_BLANK: Final = " \t\r\n\v\f"
_OPERATORS: Final = frozenset(("==", "!=", "<=", ">=", "<", ">"))
_FUNCTIONS: Final = frozenset(("domain_to_ascii", "domain_to_utf8"))
_OPERATOR_EXPECTED: Final = '"==" or "!="" or "<"" or "<="" or ">="" or ">" expected'
_CONTEXT: Final = 20
_DEEPEST: Final = 100
_LEVEL_PART_LIMIT: Final = 1023


class MacroError(Exception):
    """A malformed text; the argument is the text of Postfix's warning.

    ``fatal`` is true for the errors that Postfix treats as fatal at once instead of warning first; ``reasons`` are the
    warnings that come before that one.
    """

    def __init__(self, text: str, *, fatal: bool = False, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.fatal = fatal
        self.reasons = reasons


class _Reference:
    """``$name``, ``${name}`` or ``$(name)``."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Choice:
    """``${name?yes:no}`` and ``${{left} operator {right} ? yes : no}``; a branch is a text still to be expanded."""

    __slots__ = ("left", "name", "no", "operator", "right", "text", "yes")

    def __init__(self, text: str, condition: _Condition, yes: str | None, no: str | None) -> None:
        self.text = text  # what stands between the brackets
        self.name, self.left, self.operator, self.right = condition
        self.yes = yes
        self.no = no


class _Call:
    """``${function{argument}}``."""

    __slots__ = ("argument", "function")

    def __init__(self, function: str, argument: str) -> None:
        self.function = function
        self.argument = argument


class _Fault:
    """A syntax error, met when what stands before it has been evaluated; *name* is looked up before the complaint.

    *branches* are the texts that stand before it inside the same brackets.
    """

    __slots__ = ("branches", "message", "name")

    def __init__(self, message: str, name: str | None = None, branches: tuple[str, ...] = ()) -> None:
        self.message = message
        self.name = name
        self.branches = branches


if TYPE_CHECKING:
    _Condition: TypeAlias = tuple[str, str, str, str]
    """Name, or else left text, operator and right text."""

    _Node: TypeAlias = str | _Reference | _Choice | _Call | _Fault


def expand(text: str, lookup: Lookup, depth: int = 0) -> str:
    """Return *text* with every macro replaced; an undefined name gives an empty text.

    The values that *lookup* returns are taken as they are: a lookup for recursive definitions (main.cf) expands
    them itself.  Raises MacroError for a malformed text.  *depth* says in how many brackets the text stands.
    """
    if "$" not in text:
        return text
    out: list[str] = []
    for node in _parse(text):
        if isinstance(node, str):
            out.append(node)
        elif isinstance(node, _Reference):
            out.append(lookup(node.name, False) or "")
        elif isinstance(node, _Choice):
            if depth > _DEEPEST:
                raise MacroError(f'unreasonable macro call nesting: "{node.text}"')
            branch = node.yes if _holds(node, lookup, depth) else node.no
            if branch:
                out.append(expand(branch, lookup, depth + 1))
        elif isinstance(node, _Call):
            out.append(_call(node.function, expand(node.argument, lookup, depth + 1)))
        else:
            if node.name is not None:
                lookup(node.name, True)
            raise MacroError(node.message)
    return "".join(out)


def referenced_names(text: str, depth: int = 0) -> Iterator[str]:
    """Yield each name that *text* mentions, also in branches that would not be taken, in the order of the text.

    Raises MacroError on reaching a malformed piece.
    """
    if "$" not in text:
        return
    for node in _parse(text):
        if isinstance(node, str):
            continue
        if isinstance(node, _Reference):
            yield node.name
        elif isinstance(node, _Choice):
            if depth > _DEEPEST:
                raise MacroError(f'unreasonable macro call nesting: "{node.text}"')
            if node.operator:
                yield from referenced_names(node.left, depth + 1)
                yield from referenced_names(node.right, depth + 1)
            else:
                yield node.name
            for branch in (node.yes, node.no):
                if branch:
                    yield from referenced_names(branch, depth + 1)
        elif isinstance(node, _Call):
            yield from referenced_names(node.argument, depth + 1)
        else:
            if node.name is not None:
                yield node.name
            for branch in node.branches:
                yield from referenced_names(branch, depth + 1)
            raise MacroError(node.message)


def level(text: str) -> int:
    """Return a compatibility level ``major[.minor[.patch]]`` as one comparable number.

    Raises MacroError for another form.  Source: postconf(5) compatibility_level, COMPATIBILITY_README.
    """
    parts = text.split(".")
    first = parts[0].lstrip(_BLANK)
    first = first.removeprefix("+")
    numbers = [first, *parts[1:]]
    if len(numbers) > 3 or not all(part.isascii() and part.isdigit() for part in numbers):
        raise MacroError(f'malformed compatibility level syntax: "{text}"')
    values = [int(part) for part in numbers] + [0] * (3 - len(numbers))
    if values[0] >> 43 or values[1] > _LEVEL_PART_LIMIT or values[2] > _LEVEL_PART_LIMIT:
        raise MacroError(f'malformed compatibility level syntax: "{text}"')
    return values[0] << 20 | values[1] << 10 | values[2]


def compare_levels(left: str, right: str) -> int:
    """Return a number below, equal to or above 0 as the level *left* is below, equal to or above *right*."""
    return level(left) - level(right)


def _holds(choice: _Choice, lookup: Lookup, depth: int) -> bool:
    if not choice.operator:
        return bool(lookup(choice.name, True))
    left, right = expand(choice.left, lookup, depth + 1), expand(choice.right, lookup, depth + 1)
    if choice.operator.endswith("level"):
        order = compare_levels(left, right)
    elif _is_digits(left) and _is_digits(right):
        order = _number(left) - _number(right)
    else:
        order = (left > right) - (left < right)
    match choice.operator.removesuffix("level"):
        case "==":
            return order == 0
        case "!=":
            return order != 0
        case "<":
            return order < 0
        case "<=":
            return order <= 0
        case ">":
            return order > 0
        case _:
            return order >= 0


def _call(function: str, argument: str) -> str:
    """Return a domain in its other form; a malformed one is an error."""
    from pyfix.formats import domain  # few texts call a function

    to_ascii = function == "domain_to_ascii"
    if not argument and not to_ascii:
        return ""
    converted = (domain.domain_to_ascii if to_ascii else domain.domain_to_utf8)(argument)
    if not converted:
        complaint = (domain.ascii_complaint if to_ascii else domain.unicode_complaint)(argument)
        reasons = () if complaint is None else (complaint,)
        raise MacroError(f"bad domain argument in: '{function}{{{argument}}}'", reasons=reasons)
    return converted


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _number(text: str) -> int:
    number = int(text)
    if number >> 63:
        raise MacroError(f"mac_exp_eval: bad conversion: {text}", fatal=True)
    return number


_parsed: dict[str, list[_Node]] = {}
_MOST_PARSED = 4096


def _parse(text: str) -> list[_Node]:
    """Return the pieces of *text*, which are kept for the next time."""
    nodes = _parsed.get(text)
    if nodes is None:
        if len(_parsed) >= _MOST_PARSED:
            _parsed.clear()
        nodes = _parsed[text] = _take_apart(text)
    return nodes


def _take_apart(text: str) -> list[_Node]:
    """Parse *text* up to the first fault."""
    nodes: list[_Node] = []
    at, end = 0, len(text)
    while at < end:
        dollar = text.find("$", at)
        if dollar < 0:
            nodes.append(text[at:])
            break
        if dollar > at:
            nodes.append(text[at:dollar])
        at = dollar + 1
        opening = text[at : at + 1]
        if opening == "$":
            nodes.append("$")
            at += 1
            continue
        if opening in ("{", "("):
            close = _matching(text, at, opening, "}" if opening == "{" else ")")
            if close < 0:
                nodes.append(_Fault(f'truncated macro reference: "{text}"'))
                break
            inside = text[at + 1 : close]
            at = close + 1
            node: _Node = _parse_inside(inside) if inside else _Fault(f'empty macro name: "{text}"')
        else:
            start = at
            while at < end and text[at] in _NAME:
                at += 1
            node = _Reference(text[start:at]) if at > start else _Fault(f'empty macro name: "{text}"')
        nodes.append(node)
        if isinstance(node, _Fault):
            break
    return nodes


def _matching(text: str, at: int, opening: str, closing: str) -> int:
    """Return where the bracket that opens at *at* closes, or -1."""
    depth = 0
    for position in range(at, len(text)):
        character = text[position]
        if character == opening:
            depth += 1
        elif character == closing:
            depth -= 1
            if depth == 0:
                return position
    return -1


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _fault(message: str, before: str, after: str, name: str | None = None, branches: tuple[str, ...] = ()) -> _Fault:
    shown = after.encode("utf-8", "surrogateescape")[:_CONTEXT].decode("utf-8", "surrogateescape")
    return _Fault(f'{message} at: "...{before}>>>{shown}"', name, branches)


def _parse_inside(inside: str) -> _Node:
    """Parse what stands between the brackets of ``${...}``."""
    at = _skip(inside, 0)
    if inside[at : at + 1] == "{":
        return _parse_comparison(inside, at)
    start = at
    while at < len(inside) and inside[at] in _NAME:
        at += 1
    name = inside[start:at]
    after = _skip(inside, at)
    if after == len(inside):
        return _Reference(name)
    if inside[after] == "{":
        return _parse_call(inside, after, name)
    if inside[after] not in "?:":
        return _fault("attribute name syntax error", inside[:at], inside[at:])
    return _parse_branches(inside, after, (name, "", "", ""))


def _parse_call(inside: str, at: int, function: str) -> _Node:
    """Parse the argument of a function, which nothing may follow."""
    close = _matching(inside, at, "{", "}")
    if close < 0:
        return _Fault(f'unbalanced {{}} in attribute expression: "{inside[at:]}"')
    argument = inside[at + 1 : close].strip(_BLANK)
    after = _skip(inside, close + 1)
    if after < len(inside):
        return _fault("unexpected input", argument + "}", inside[after:])
    if function not in _FUNCTIONS:
        return _Fault(f'unknown function "{function}" at"...>>>{function}{{{argument}}}"')
    return _Call(function, argument)


def _parse_comparison(inside: str, at: int) -> _Node:
    """Parse ``{left} operator {right}`` and the branches behind it, if any."""
    close = _matching(inside, at, "{", "}")
    if close < 0:
        return _Fault(f'unbalanced {{}} in attribute expression: "{inside[at:]}"')
    left = inside[at + 1 : close]
    at = _skip(inside, close + 1)
    sign_at = at
    while at < len(inside) and inside[at] in "=!<>":
        at += 1
    operator = inside[sign_at:at]
    if operator not in _OPERATORS:
        return _fault(_OPERATOR_EXPECTED, left + "}", inside[sign_at:])
    word = at
    while at < len(inside) and inside[at] in _NAME:
        at += 1
    suffix = inside[word:at]
    if suffix not in ("", "level"):
        return _Fault(f'bad operator suffix at: "...{operator}>>>{suffix}"')
    opening = _skip(inside, at)
    if inside[opening : opening + 1] != "{":
        return _fault('"{expression}" expected', f"{{{left}}} {operator}", inside[at:])
    close = _matching(inside, opening, "{", "}")
    if close < 0:
        return _Fault(f'unbalanced {{}} in attribute expression: "{inside[opening:]}"')
    right = inside[opening + 1 : close]
    operator += suffix
    after = _skip(inside, close + 1)
    if after == len(inside):
        return _Choice(inside, ("", left, operator, right), "true", None)
    if inside[after] not in "?:":
        return _fault('"?" or ":" expected', "}", inside[after:])
    return _parse_branches(inside, after, ("", left, operator, right))


def _parse_branches(inside: str, at: int, condition: _Condition) -> _Node:
    """Parse ``?text``, ``:text`` or ``?{text}:{text}`` from *at* to the end."""
    looked_up = None if condition[2] else condition[0]
    positive = inside[at] == "?"
    branch, at = _parse_branch(inside, at + 1)
    if branch is None:
        return _Fault(f'unbalanced {{}} in attribute expression: "{inside[at:]}"', looked_up)
    if at == len(inside):
        return _Choice(inside, condition, branch if positive else None, None if positive else branch)
    if not positive:
        return _fault("unexpected input", branch + "}", inside[at:], looked_up, (branch,))
    if inside[at] != ":":
        return _fault('":" expected', branch + "}", inside[at:], looked_up, (branch,))
    other, at = _parse_branch(inside, at + 1)
    if other is None:
        return _Fault(f'unbalanced {{}} in attribute expression: "{inside[at:]}"', looked_up)
    if at < len(inside):
        return _fault("unexpected input", other + "}", inside[at:], looked_up, (branch, other))
    return _Choice(inside, condition, branch, other)


def _parse_branch(inside: str, at: int) -> tuple[str | None, int]:
    """Return a branch and where the next token stands; a text without braces goes on to the end."""
    opening = _skip(inside, at)
    if inside[opening : opening + 1] != "{":
        return inside[at:], len(inside)
    close = _matching(inside, opening, "{", "}")
    if close < 0:
        return None, opening
    return inside[opening + 1 : close], _skip(inside, close + 1)
