"""Words of history: the views auditors ask."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {}
