"""postconf(1): show and change the configuration."""

from __future__ import annotations

from pyfix.commands.postconf.command import main

__all__ = ["main"]
