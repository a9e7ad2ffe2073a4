"""Changing main.cf in place: the layout, comments, mode and owner of the file stay."""

from __future__ import annotations

import fcntl
import os

from pyfix.commands.postconf.messages import Fatal, warn
from pyfix.config import main_cf
from pyfix.config.blanks import BLANK

TYPE_CHECKING = False  # typing itself costs a command several milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Rewriting", "edit_main", "read_lines", "requests"]


def requests(arguments: Iterable[str], *, with_value: bool) -> list[tuple[str, str, str]]:
    """Return ``(argument, name, value)`` of each request.  Raises Fatal for one that can't be a setting."""
    found: list[tuple[str, str, str]] = []
    for argument in arguments:
        text = argument.lstrip(BLANK)
        if "\n" in argument:
            raise Fatal("-e, -X, or -# accepts no multi-line input")
        if text.startswith("#"):
            raise Fatal("-e, -X, or -# accepts no comment input")
        if not with_value:
            if "=" in text:
                raise Fatal("-X or -# requires parameter names without value")
            if not text:
                raise Fatal("-X or -# requires non-blank parameter names")
            found.append((argument, text.strip(BLANK), ""))
            continue
        assignment = main_cf.split_assignment(text)
        if isinstance(assignment, str):
            raise Fatal(f'{assignment}: "{argument}"')
        found.append((argument, *assignment))
    return found


def edit_main(path: str, how: str, arguments: Sequence[str]) -> None:
    """Set (``e``), remove (``X``) or comment out (``#``) parameters.

    A name that stands more than once is changed everywhere, with a warning; a new one goes to the end.  Raises
    Fatal for a malformed request or when the file can't be changed.
    """
    wanted: dict[str, str] = {}
    for _, name, value in requests(arguments, with_value=how == "e"):
        if how == "e" and name in wanted:
            warn(f"ignoring earlier request: '{name} = {wanted[name]}'")
        wanted[name] = value
    with Rewriting(path) as file:
        file.replace(_edited(path, how, wanted))


def _edited(path: str, how: str, wanted: dict[str, str]) -> str:
    """Return the new text of main.cf."""
    seen: dict[str, int] = {}
    out: list[str] = []
    concerned = False
    for line in read_lines(path):
        if is_remark(line):
            out.append(line)
            continue
        if line[0] not in BLANK:
            name = line.partition("=")[0].strip(BLANK)
            concerned = name in wanted
            if concerned:
                seen[name] = seen.get(name, 0) + 1
                if seen[name] == 2:
                    warn(f'{path}: multiple entries for "{name}"')
                if how == "e":
                    out.append(f"{name} = {wanted[name]}\n")
                    continue
        if not concerned:
            out.append(line)
        elif how == "#":
            out.append(f"#{line}")
    if how == "e":
        out += [f"{name} = {value}\n" for name, value in sorted(wanted.items()) if name not in seen]
    return "".join(out)


def is_remark(line: str) -> bool:
    """Whether a physical line is empty or a comment."""
    return line.lstrip(BLANK)[:1] in ("", "#")


def read_lines(path: str) -> list[str]:
    """Return the file's physical lines, each with its line end.  Raises Fatal."""
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8", "surrogateescape")
    except OSError as error:
        if isinstance(error, IsADirectoryError):
            raise Fatal(f"read {path}: {error.strerror}") from None
        raise Fatal(f"open {path} for reading: {error.strerror}") from None
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [f"{line}\n" for line in lines]


class Rewriting:
    """Keeps other editors of a file out, as a context, and puts a new file in its place.

    The file must be read inside: before, another editor may still be at work.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._temporary = f"{path}.tmp"
        self._descriptor = -1
        self._replaced = False

    def __enter__(self) -> Rewriting:
        """Wait for the other editors.  Raises Fatal."""
        try:
            self._descriptor = _locked(self._temporary)
        except OSError as error:
            raise Fatal(f"open {self._temporary} for writing: {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        """Let the next editor in."""
        if not self._replaced:
            os.unlink(self._temporary)
        os.close(self._descriptor)

    def replace(self, text: str) -> None:
        """Put a file with *text* in the place of the old one, with its mode and owner.

        The new file is complete and on disk before it takes the name.  Raises Fatal.
        """
        descriptor = self._descriptor
        try:
            status = os.stat(self._path)
            os.ftruncate(descriptor, 0)
            data = memoryview(text.encode("utf-8", "surrogateescape"))
            while data:
                data = data[os.write(descriptor, data) :]
            if os.geteuid() == 0:
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, status.st_mode & 0o7777)
            os.fsync(descriptor)
            os.rename(self._temporary, self._path)
        except OSError as error:
            raise Fatal(f"write {self._path}: {error.strerror}") from None
        self._replaced = True


def _locked(temporary: str) -> int:
    """Open the new file and wait until nobody else writes it.  The one that we waited for has become the real file."""
    while True:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(descriptor), os.stat(temporary)):
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
