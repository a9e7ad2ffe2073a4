from __future__ import annotations

from pyfix.protocols.internal.nbdb_reindex import DONE, FAILED, Reindex, ReindexReply


def test_wire_order() -> None:
    assert Reindex("hash", "/a").encode() == b"nbdb_type\0hash\0nbdb_path\0/a\0\0"
    assert ReindexReply(DONE, "").encode() == b"status\0" + b"0\0reason\0\0\0"
    assert ReindexReply.decode(b"status\0" + b"1\0reason\0x\0\0") == ReindexReply(FAILED, "x")
