"""The daemon is tested with the fixtures of the rules that it serves."""

from __future__ import annotations

from tests.unit.rewriting.resolving.conftest import logged, now, settings_of

__all__ = ["logged", "now", "settings_of"]
