"""texthash: the text that postmap(1) takes as input, read into memory when the table is opened."""

from __future__ import annotations

from pyfix.tables import flags as bits
from pyfix.tables.file_values import encode_files
from pyfix.tables.memory import DictTable
from pyfix.tables.notice import warn
from pyfix.tables.table import Opening, TableError, fold
from pyfix.tables.textfile import read_entries


class TexthashTable(DictTable):
    """``texthash:/path``: no indexed file, no postmap(1); changes are seen when the process is started again."""

    kind = "texthash"

    __slots__ = ("_owners",)

    def __init__(self, name: str, opening: Opening) -> None:
        """Read the file.  Raises TableError when that fails; bad lines give warnings."""
        super().__init__(name, opening)
        self._owners: list[int] = []
        values, folds, utf8 = self._values, self.fold, self.utf8
        for number, key, value in read_entries(name, ignoring=" -- ignoring this line", owners=self._owners):
            stored = fold(key, utf8) if folds else key
            if stored in values:
                warn(f'{name}, line {number}: duplicate entry: "{key}"')
                continue
            if opening.flags & bits.SRC_RHS_IS_FILE:
                try:
                    value = encode_files(value)  # noqa: PLW2901  # it takes the place of the files' names
                except TableError as error:
                    warn(f"{name}, line {number}: {error}: skipping this entry")
                    continue
            values[stored] = value

    def owner(self) -> int | None:
        """Return the owner of the file that was read."""
        return self._owners[0]
