"""regexp: POSIX expressions, matched by the C library.  Source: regexp_table(5).

Python's own expressions are no stand-in: POSIX takes the longest match and has other classes.
"""

from __future__ import annotations

import ctypes
from typing import Final

from pyfix.formats.needed_text import Need, needed_text
from pyfix.formats.patterns import PatternError, toggled
from pyfix.tables.expressions import Expression, ExpressionTable, Groups

_EXTENDED: Final = 1
_IGNORE_CASE: Final = 2
_NEWLINE: Final = 4
_NO_GROUPS: Final = 8
_NO_MATCH: Final = 1
_LC_ALL_MASK: Final = 0x1FBF

_library: Final = ctypes.CDLL(None)
_GNU: Final = hasattr(_library, "gnu_get_libc_version")
_Offset: Final = ctypes.c_int if _GNU else ctypes.c_ssize_t
_GROUPS_AT: Final = 48 if _GNU else 0
"""Where in a regex_t the number of groups stands: behind five words and the translation table in the GNU library."""
_SIZE: Final = 256
"""Bytes for a regex_t; the GNU library's has 64, that of musl 48."""

_library.regcomp.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
_library.regerror.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
_library.regfree.argtypes = [ctypes.c_void_p]
_library.newlocale.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p]
_library.newlocale.restype = ctypes.c_void_p
_library.uselocale.argtypes = [ctypes.c_void_p]
_library.uselocale.restype = ctypes.c_void_p

# A match takes less time than giving the interpreter's lock away and taking it again, and than converting
# arguments by their declared types: hence a function of its own, with arguments that are ready.
_regexec: Final = ctypes.PyDLL(None).regexec

_c_locale: list[int] = []


def _compile(memory: ctypes.Array[ctypes.c_char], pattern: bytes, options: int) -> int:
    """Call regcomp() in the C locale: Postfix's expressions match bytes, whatever the locale."""
    if not _c_locale:
        _c_locale.append(_library.newlocale(_LC_ALL_MASK, b"C", None))
    before = _library.uselocale(_c_locale[0])
    try:
        status: int = _library.regcomp(memory, pattern, options)
        return status
    finally:
        _library.uselocale(before)


class _Compiled:
    """A regex_t, freed when nobody refers to it any more."""

    def __init__(self, pattern: bytes, options: int) -> None:
        self.memory: Final = ctypes.create_string_buffer(_SIZE)
        status = _compile(self.memory, pattern, options)
        if status:
            self.freed = True
            text = ctypes.create_string_buffer(256)
            _library.regerror(status, self.memory, text, len(text))
            raise PatternError(text.value.decode(errors="replace"))
        self.freed = False
        self.groups: int = ctypes.c_size_t.from_buffer(self.memory, _GROUPS_AT).value

    def __del__(self) -> None:
        # While the interpreter ends, the library may be gone before us.
        if not self.freed and _library is not None:
            _library.regfree(self.memory)


class RegexpTable(ExpressionTable):
    """``regexp:/path`` and ``regexp:{ { /expression/flags text }, ... }``.

    Flags turn around what holds otherwise: ``i`` case does not matter, ``x`` extended
    expressions, ``m`` a newline is like any other character.  ``/expression/flags!/other/flags text`` is for keys that
    match the first and not the other.
    """

    kind = "regexp"
    known_flags = "imx"
    second = True

    __slots__ = ()

    def expression(self, pattern: str, flags: str, *, groups: bool) -> Expression:
        """Compile an expression.  Raises PatternError with the C library's words."""
        options = 0 if toggled(flags, "x") else _EXTENDED
        options |= 0 if toggled(flags, "i") else _IGNORE_CASE
        options |= _NEWLINE if toggled(flags, "m") else 0
        compiled = _Compiled(pattern.encode(errors="surrogateescape"), options | (0 if groups else _NO_GROUPS))
        regexec, memory, none = _regexec, ctypes.c_void_p(ctypes.addressof(compiled.memory)), ctypes.c_size_t(0)
        if not groups:

            def matches(key: bytes, compiled: _Compiled = compiled) -> Groups | None:
                status = regexec(memory, key, none, None, 0)
                if status == 0:
                    return []
                if status != _NO_MATCH:
                    raise RuntimeError("regexp error")
                return None

            return Expression(matches, compiled.groups)
        places = (_Offset * (2 * (compiled.groups + 1)))()
        count = ctypes.c_size_t(compiled.groups + 1)

        def matches_groups(key: bytes, compiled: _Compiled = compiled) -> Groups | None:
            status = regexec(memory, key, count, places, 0)
            if status == 0:
                return list(zip(places[0::2], places[1::2], strict=True))
            if status != _NO_MATCH:
                raise RuntimeError("regexp error")
            return None

        return Expression(matches_groups, compiled.groups)

    def needs(self, pattern: bytes, flags: str) -> list[Need]:
        """Return what a text that an expression matches contains."""
        return [] if toggled(flags, "x") else needed_text(pattern, perl=False)
