"""How a long step tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]


def quiet(step: str, done: int, total: int) -> None:
    """Report no progress."""
