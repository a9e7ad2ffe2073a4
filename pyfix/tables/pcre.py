"""pcre: Perl's expressions, matched by the PCRE2 library.  Source: pcre_table(5)."""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import Any, Final

from pyfix.formats.needed_text import Need, needed_text
from pyfix.formats.patterns import PatternError, toggled
from pyfix.tables.expressions import Expression, ExpressionTable, Groups
from pyfix.tables.table import Opening

_ANCHORED: Final = 0x80000000
_CASELESS: Final = 0x00000008
_DOLLAR_ENDONLY: Final = 0x00000010
_DOTALL: Final = 0x00000020
_EXTENDED: Final = 0x00000080
_MULTILINE: Final = 0x00000400
_UNGREEDY: Final = 0x00040000
_NO_MATCH: Final = -1
_INFO_CAPTURECOUNT: Final = 4

_FLAGS: Final = {
    "i": _CASELESS, "m": _MULTILINE, "s": _DOTALL, "x": _EXTENDED, "A": _ANCHORED, "E": _DOLLAR_ENDONLY, "U": _UNGREEDY,
}  # fmt: skip

_loaded: list[Any] = []


def _library() -> Any:
    """Return the PCRE2 library.  Raises TableError when the machine has none."""
    if _loaded:
        return _loaded[0]
    try:
        library: Any = ctypes.CDLL("libpcre2-8.so.0")
    except OSError:
        name = ctypes.util.find_library("pcre2-8")
        if name is None:
            from pyfix.tables.plugins import library_missing

            raise library_missing("pcre", "libpcre2-8") from None
        library = ctypes.CDLL(name)
    pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32
    library.pcre2_compile_8.argtypes = [ctypes.c_char_p, size, number, pointer, pointer, pointer]
    library.pcre2_compile_8.restype = pointer
    library.pcre2_code_free_8.argtypes = [pointer]
    library.pcre2_code_free_8.restype = None
    library.pcre2_pattern_info_8.argtypes = [pointer, number, pointer]
    library.pcre2_match_data_create_from_pattern_8.argtypes = [pointer, pointer]
    library.pcre2_match_data_create_from_pattern_8.restype = pointer
    library.pcre2_match_data_free_8.argtypes = [pointer]
    library.pcre2_match_data_free_8.restype = None
    library.quick_match = ctypes.PyDLL(library._name).pcre2_match_8
    library.pcre2_get_ovector_pointer_8.argtypes = [pointer]
    library.pcre2_get_ovector_pointer_8.restype = ctypes.POINTER(size)
    library.pcre2_get_error_message_8.argtypes = [ctypes.c_int, ctypes.c_char_p, size]
    _loaded.append(library)
    return library


def _message(library: Any, code: int) -> str:
    text = ctypes.create_string_buffer(256)
    library.pcre2_get_error_message_8(code, text, len(text))
    return text.value.decode(errors="replace")


class _Compiled:
    """A compiled expression and room for its matches, freed when nobody refers to them any more."""

    def __init__(self, library: Any, pattern: bytes, options: int) -> None:
        self.library: Final = library
        self.code = self.room = None
        code, offset = ctypes.c_int(), ctypes.c_size_t()
        self.code = library.pcre2_compile_8(
            pattern, len(pattern), options, ctypes.byref(code), ctypes.byref(offset), None
        )
        if not self.code:
            raise PatternError(f"error in regex at offset {offset.value}: {_message(library, code.value)}")
        count = ctypes.c_uint32()
        library.pcre2_pattern_info_8(self.code, _INFO_CAPTURECOUNT, ctypes.byref(count))
        self.groups: Final = count.value
        self.room = library.pcre2_match_data_create_from_pattern_8(self.code, None)
        self.places: Final = library.pcre2_get_ovector_pointer_8(self.room)

    def __del__(self) -> None:
        if self.room:
            self.library.pcre2_match_data_free_8(self.room)
        if self.code:
            self.library.pcre2_code_free_8(self.code)


class PcreTable(ExpressionTable):
    """``pcre:/path`` and ``pcre:{ { /expression/flags text }, ... }``.

    Flags turn around what holds otherwise: case does not matter (``i``), and a dot
    matches a newline too (``s``).
    """

    kind = "pcre"
    known_flags = "imsxAEUX"
    unclosed = "ignoring this rule"
    range_words = "out of range"

    __slots__ = ("_pcre",)

    def __init__(self, name: str, opening: Opening) -> None:
        self._pcre: Final = _library()
        super().__init__(name, opening)

    def expression(self, pattern: str, flags: str, *, groups: bool) -> Expression:
        """Compile an expression.  Raises PatternError with the library's words."""
        # Bytes, not characters: Postfix does not ask the library for UTF-8, and not for compiled code either, whose
        # limits are other ones: its stack is too small for long keys.
        options = _CASELESS | _DOTALL
        for letter, bit in _FLAGS.items():
            if toggled(flags, letter):
                options ^= bit
        library = self._pcre
        compiled = _Compiled(library, pattern.encode(errors="surrogateescape"), options)
        # Arguments that are ready, and a function that keeps the interpreter's lock: see regexp.py.
        match, size = library.quick_match, ctypes.c_size_t
        code, room, start, options_now = ctypes.c_void_p(compiled.code), ctypes.c_void_p(compiled.room), size(0), 0

        def matches(key: bytes, compiled: _Compiled = compiled) -> Groups | None:
            status = match(code, key, size(len(key)), start, options_now, room, None)
            if status > 0:
                places = compiled.places
                # A group that took no part has the largest number for its place.
                return [
                    (places[2 * n], places[2 * n + 1]) if places[2 * n] <= len(key) else (-1, -1)
                    for n in range(compiled.groups + 1 if groups else 0)
                ]
            if status != _NO_MATCH:
                raise RuntimeError(_message(library, status))
            return None

        return Expression(matches, compiled.groups)

    def needs(self, pattern: bytes, flags: str) -> list[Need]:
        """Return what a text that an expression matches contains."""
        return [] if toggled(flags, "x") else needed_text(pattern, perl=True)
