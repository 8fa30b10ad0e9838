"""The one catalogue of words people read: titles, sheets, column headers, messages, code values.

One module a room; the first part of a key says which. Labels of national fields are not here: they
stand beside the fields in `schemas`. A message may hold {placeholders} that the caller fills in with
`str.format`.
"""

from __future__ import annotations

from collections import Counter

from settlement.labels import (
    asof,
    columns,
    documents,
    evidence,
    feedback,
    history,
    jobs,
    keeping,
    money,
    payment,
    record,
    review,
    time,
    trace,
)

EN = "en"


def merged(*rooms: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Return the words of all rooms in one dict; ValueError names the keys that two of them hold."""
    count = Counter(key for room in rooms for key in room)
    if twice := sorted(key for key, times in count.items() if times > 1):
        raise ValueError(f"labels given twice: {', '.join(twice)}")
    return {key: words for room in rooms for key, words in room.items()}


LABELS = merged(
    documents.WORDS,
    columns.WORDS,
    record.WORDS,
    feedback.WORDS,
    review.WORDS,
    money.WORDS,
    payment.WORDS,
    time.WORDS,
    jobs.WORDS,
    asof.WORDS,
    history.WORDS,
    keeping.WORDS,
    evidence.WORDS,
    trace.WORDS,
)


def label(key: str, lang: str) -> str:
    """Return the words of a catalogue key in `zh` or `en`; KeyError when there is no such key."""
    return LABELS[key][lang == EN]
