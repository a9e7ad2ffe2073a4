"""Any configuration: what postconf(1) prints of it means the same."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pyfix.commands.postconf import main
from pyfix.config import catalogue

NAMES = sorted(name for name, found in catalogue.all_parameters().items() if not found.legacy and not found.own)
USED_BY_NOBODY = ("own_a", "own_b", "x_destination_rate_delay")
names = st.one_of(st.sampled_from(NAMES), st.sampled_from([*USED_BY_NOBODY, "virtual_maps"]))
words = st.text(st.characters(codec="utf-8", exclude_characters="$\r\n\0"), max_size=12)
values = st.lists(
    st.one_of(words, st.sampled_from(["$own_a", "${own_b?{a}:{b}}", "# c", "{ a b }", "x" * 90, "ldap:own", "=", "a,b", "\t"])),
    max_size=6,
).map(" ".join)
joints = st.sampled_from([" = ", "=", " =\n  ", "=\n# c\n\n\t", " =  "])
settings_of_main_cf = st.lists(st.tuples(names, joints, values), max_size=8)


def run(place: Path, *arguments: str) -> str:
    """Return what our postconf prints, warnings aside."""
    out, argv = io.StringIO(), sys.argv
    sys.argv = ["postconf"]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            status = main(["-c", str(place), *arguments])
    finally:
        sys.argv = argv
    assert status == 0
    return out.getvalue()


def fed_back(main_cf: str, master_cf: str, show: tuple[str, ...], name: str) -> tuple[str, str]:
    """Return the output, and the output when the first one stands in the file *name*."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "main.cf").write_text(main_cf)
        (place / "master.cf").write_text(master_cf)
        first = run(place, *show)
        (place / name).write_text(first)
        return first, run(place, *show)


@settings(max_examples=60, deadline=None)
@given(settings_of_main_cf)
def test_what_n_prints_is_the_same_main_cf(lines: list[tuple[str, str, str]]) -> None:
    """``postconf -n`` and ``postconf -nf`` as main.cf."""
    chosen = [line for line in lines if line[0] not in ("config_directory", "inet_interfaces", "inet_protocols", "mynetworks_style")]
    chosen += [("mynetworks", "=", "127.0.0.1"), ("compatibility_level", "=", "3.11")]
    # postconf shows what is referred to by a name that nobody uses, though not that name: the second time it has no reference
    text = "".join(
        f"{name}{joint}{value.replace('$', '') if name in USED_BY_NOBODY else value}\n" for name, joint, value in chosen
    )
    for option in ("-n", "-nf"):
        first, second = fed_back(text, "", (option,), "main.cf")
        if "\n    #" not in first:  # a word that is folded to the start of a line is a comment then, with Postfix too
            assert first == second


arguments = st.lists(
    st.one_of(
        st.tuples(names, words).map(lambda pair: f"-o {{ {pair[0]} = {_tame(pair[1])} }}"),
        st.sampled_from(["-v", "-D", "-o a=b", "-vo c=d"]),
    ),
    max_size=6,
)
entries = st.lists(
    st.tuples(st.sampled_from(["a", "b", "127.0.0.1:25"]), st.sampled_from("ny-"), st.sampled_from(["-", "60?", "0"]), arguments),
    max_size=4,
)


def _tame(word: str) -> str:
    """Return a word without the braces that would end the option."""
    return word.translate({ord("{"): None, ord("}"): None})


@settings(max_examples=50, deadline=None)
@given(entries)
def test_what_m_prints_is_the_same_master_cf(chosen: list[tuple[str, str, str, list[str]]]) -> None:
    """``postconf -M`` and ``postconf -Mf`` as master.cf."""
    text = "".join(f"{name} inet n {yes} - {wakeup} - p {' '.join(words)}\n" for name, yes, wakeup, words in chosen)
    for option in ("-M", "-Mf"):
        first, second = fed_back("mynetworks = 127.0.0.1\n", text, (option,), "master.cf")
        assert first == second
        _, parameters = fed_back("mynetworks = 127.0.0.1\n", text, ("-P",), "other")
        assert fed_back("mynetworks = 127.0.0.1\n", first, ("-P",), "other")[1] == parameters
