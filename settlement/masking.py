"""Masking of personal data: the one place that says what of a person a document may show.

Documents leave the fund, so a name keeps its first character, a certificate number its first three and
last four, a person number or bank account its last four. What is too short to keep anything is all stars.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

STAR = "*"
# Always four, so that the length of what is hidden does not show.
HIDDEN = STAR * 4
_YEAR = re.compile(r"\d{4}")


def mask(column: str, value: str | None) -> str | None:
    """Return a personal value as it may be shown.

    Args:
        column: national field name; it decides what is kept.
        value: the value, None and empty stay as they are.
    """
    if not value:
        return value
    if column == "psn_name":
        return value[0] + STAR
    if column == "certno":
        return _keep(value, head=3, tail=4)
    if column in ("psn_no", "bankacct"):
        return _keep(value, head=0, tail=4)
    year = _YEAR.match(value)
    return _keep(value, head=4 if year else 0, tail=0)


def mask_all(column: str, values: Iterable[str | None]) -> list[str | None]:
    """Return many values of one column masked; each different value is worked out once."""
    seen: dict[str | None, str | None] = {}
    for value in (held := list(values)):
        if value not in seen:
            seen[value] = mask(column, value)
    return [seen[value] for value in held]


def mask_text(column: str, value: str | None, text: str) -> str:
    """Return a sentence with the personal value it quotes masked."""
    return text.replace(value, mask(column, value) or "") if value else text


def _keep(value: str, head: int, tail: int) -> str:
    if len(value) <= head + tail:
        return HIDDEN
    return value[:head] + HIDDEN + value[len(value) - tail :]
