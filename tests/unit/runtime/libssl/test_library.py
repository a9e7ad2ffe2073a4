from __future__ import annotations

from pyfix.runtime.libssl.declarations import DECLARATIONS
from pyfix.runtime.libssl.library import ffi, lib, library_problems, text_of
from pyfix.runtime.libssl.objects import Context


def test_problems_have_numbers() -> None:
    lib.ERR_clear_error()
    assert library_problems() == ()
    assert not lib.SSL_CTX_use_certificate_chain_file(Context().handle, b"/nonexistent")
    first, *others = library_problems()
    assert first == "error:80000002:system library::No such file or directory:" and others
    assert all(problem.startswith("error:") and problem.endswith(":") for problem in others)
    assert library_problems() == ()


def test_texts() -> None:
    assert text_of(ffi.NULL) == "" and text_of(ffi.new("char[]", b"x")) == "x"


def test_the_library_has_what_is_declared() -> None:
    names = [line.split("(")[0].split()[-1].lstrip("*") for line in DECLARATIONS.splitlines() if line.endswith(");") and line[0] != " "]
    assert len(names) > 90
    for name in names:
        assert getattr(lib, name), name
