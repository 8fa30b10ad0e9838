"""Words of the auditors' reports, samples, exports and trends."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {}
