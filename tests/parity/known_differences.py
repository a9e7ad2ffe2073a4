"""Lines in which pyfix differs from the reference on purpose, each with its reason; all others must be the same."""

from __future__ import annotations

from tests.kit.comparison import KnownDifference

KNOWN_DIFFERENCES: tuple[KnownDifference, ...] = ()
