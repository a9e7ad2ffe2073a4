import random
from pathlib import Path

from pyfix.tables.build import build_table
from pyfix.tables.cdb import CdbTable
from pyfix.tables.table import Opening, TableError


def test_damage_gives_an_error_or_an_answer(tmp_path: Path) -> None:
    source = random.Random(5)
    name = str(tmp_path / "t")
    build_table("cdb", name, [(f"key{n}", "value") for n in range(200)])
    path = Path(name + ".cdb")
    whole = path.read_bytes()
    failed = 0
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(100):
            data[source.randrange(len(data))] = source.randrange(256)
        path.write_bytes(data[: source.randrange(100, len(data))] if source.random() < 0.2 else data)
        try:
            table = CdbTable(name, Opening())
            for number in range(200):
                table.find_now(f"key{number}")
            list(table.items())
        except TableError:
            failed += 1
    assert failed > 100
