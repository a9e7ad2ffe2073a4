from __future__ import annotations

from pathlib import Path

import pytest

from pyfix.install.launchers import LaunchTarget, installed_launcher, write_launchers


def test_a_launcher_has_two_lines() -> None:
    text = installed_launcher("daemon", "smtpd", LaunchTarget(Path("/opt/pyfix/bin/python3"), (Path("/a"), Path("/b"))))
    first, second = text.splitlines()
    assert first == "#!/opt/pyfix/bin/python3 -ISXutf8"
    assert second == "import sys; sys.path += ['/a', '/b']; from pyfix.launch import daemon; daemon(\"smtpd\")"


@pytest.mark.parametrize("python", ["/a b/python3", "/" + "x" * 120 + "/python3"])
def test_what_the_kernel_can_not_run_is_refused(python: str) -> None:
    with pytest.raises(ValueError, match="no launcher can name this interpreter"):
        installed_launcher("command", "postqueue", LaunchTarget(Path(python), ()))


def test_launchers_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "postcat").write_text("old")
    target = LaunchTarget(Path("/usr/bin/python3"), (), Path("/etc/mail"))
    write_launchers("command", tmp_path, ["postcat", "postlog"], target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["postcat", "postlog"]
    assert "configuration='/etc/mail'" in (tmp_path / "postcat").read_text()
    assert (tmp_path / "postcat").stat().st_mode & 0o777 == 0o755
