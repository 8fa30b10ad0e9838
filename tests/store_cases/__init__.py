"""What must not be possible in the workflow database, in plain SQL, each beside a lawful neighbour.

A case is tried in the world of `tests.store_world`; nothing of it stays. `kept_by` names what refuses it:
triggers, or `check` for a check constraint. In a copy without those the act goes through, so the case
shows that very rule and no other. Empty: a unique key, which cannot be taken away.
"""

from __future__ import annotations

from settlement import procedure
from tests.store_cases import books, feedback, payment, people, review, rows, statement, way
from tests.store_cases.case import Case
from tests.store_world import B, path

# Every pair of places that no edge joins: (batch that stands there, state, held from).
PLACES = tuple(path(name)[-1] for name in B)
NO_EDGES = tuple(
    (name, *place) for name in B for place in PLACES if (*path(name)[-1], *place) not in procedure.EDGES
)
CASES = (
    *people.CASES,
    *way.CASES,
    *feedback.CASES,
    *review.CASES,
    *statement.CASES,
    *payment.CASES,
    *books.CASES,
    *books.LOG_CASES,
    *rows.CASES,
)

__all__ = ["CASES", "NO_EDGES", "Case"]
