"""What is tried of parameters: values, what stands beside them, and what is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

LookedAt = TypeVar("LookedAt")


@dataclass(frozen=True)
class Tried(Generic[LookedAt]):
    """A parameter with another value than its default's."""

    name: str
    value: str
    looked_at: Sequence[LookedAt]
    """What shows it."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """What else is set, with the parameter and without."""

