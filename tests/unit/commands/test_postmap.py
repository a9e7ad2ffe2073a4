import subprocess
import sys
from pathlib import Path

import pytest

from pyfix.commands import postmap


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "main.cf").write_text("compatibility_level = 3.11\n")
    (tmp_path / "table").write_text("key value of it\nother 2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAIL_CONFIG", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["postmap"])
    return tmp_path


def test_make_ask_list_delete(here: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert postmap.main(["hash:table", "btree:table", "cdb:table"]) == 0
    assert postmap.main(["table"]) == 0
    assert postmap.main(["-q", "KEY", "hash:table"]) == 0
    assert postmap.main(["-q", "none", "hash:table"]) == 1
    assert postmap.main(["-jq", "key", "cdb:table"]) == 0
    assert postmap.main(["-d", "key", "hash:table"]) == 0
    assert postmap.main(["-s", "hash:table"]) == 0
    assert capfdbinary.readouterr().out == b'value of it\n{"key": "value of it"}\nother\t2\n'


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-j", "hash:x"], "option -j requires -q or -s"),
        (["-b", "hash:x"], 'specify -b -h or -m only with "-q -"'),
        ([], "usage: postmap"),
        (["-Z"], "usage: postmap"),
        (["-is", "hash:x"], "specify only one of"),
    ],
)
def test_wrong_use(here: Path, words: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert postmap.main(words) == 1
    assert f"postmap: fatal: {text}" in capsys.readouterr().err


def test_what_a_question_loads(here: Path) -> None:
    """The command starts in a few hundredths of a second because it loads little."""
    code = (
        "import sys; sys.argv[0] = 'postmap'; from pyfix.commands.postmap import main; "
        "assert main(['-q', 'a', 'inline:{a=b}']) == 0; "
        "print(sorted(sys.modules.keys() & set('typing re twisted argparse logging json lmdb socket'.split())))"
    )
    done = subprocess.run(
        [sys.executable, "-ISXutf8", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True, text=True, env={"MAIL_CONFIG": str(here)}, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("b\n[]\n", "")
