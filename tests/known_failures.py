"""Tests that fail today, each with the reason: they run, what they show is listed as expected failures, and they are to become empty.

A pattern matches the end of a test's id (``fnmatch``); ``*`` stands for anything.
"""

from __future__ import annotations

KNOWN_FAILURES: dict[str, str] = {}
