"""Words of a trace from a payment to its rows, and of what a check of the record found."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {}
