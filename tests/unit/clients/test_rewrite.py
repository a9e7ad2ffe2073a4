from __future__ import annotations

from pathlib import Path

from pyfix.clients.resolve import rewrite_service
from pyfix.clients.rewrite import Rewriter
from tests.unit.clients.rewriting import TIMES, trivial_rewrite
from tests.unit.clients.server import run, serving


def test_rewrite(tmp_path: Path) -> None:
    async def ask() -> list[str]:
        rewriter = Rewriter(rewrite_service("rewrite", **TIMES))
        answers = [await rewriter.rewrite("x", "local"), await rewriter.rewrite("x", "remote")]
        answers.append(await rewriter.rewrite_internal("a b", "local"))
        return answers

    with serving(tmp_path, "private/rewrite", trivial_rewrite()):
        assert run(ask()) == ["x@local", "x@remote", "a b@local"]
