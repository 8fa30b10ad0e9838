"""The tables of the workflow database, and the rules of the procedure as their constraints.

What can be said as a foreign key, a unique key or a check is said so; what needs a look at another
row is a trigger (`settlement.store.guards`). Amounts are integer 分. Rows about what people did are
only ever added.
"""

from __future__ import annotations

from settlement.store.schema.base import MARK, META
from settlement.store.schema.batches import BATCH, BATCH_DUTY, EDGE, TRANSITION
from settlement.store.schema.commits import COMMIT, NOW_SQL, VERSION, tracked
from settlement.store.schema.findings import DECISION, FINDING, NOTICE, REPLY, SAMPLE, WINDOW_EXTENSION
from settlement.store.schema.intake import REFERENCE, RUN, STORED, SUBMISSION
from settlement.store.schema.jobs import JOB, OUTBOX
from settlement.store.schema.money import (
    ADJUSTMENT,
    ADJUSTMENT_CONFIRMATION,
    ADVANCE,
    APPROVAL,
    LEDGER,
    PAY_FILE,
    PAY_ORDER,
    PAY_RESULT,
    PAYEE,
    PAYEE_CONFIRMATION,
    RECEIPT,
    STATEMENT,
    STATEMENT_LINE,
    STEPS,
)
from settlement.store.schema.people import LOG, USER, USER_ROLE

# Rows of these say in which commit they came.
TRACKED = tracked(
    LOG, TRANSITION, BATCH_DUTY, FINDING, NOTICE, WINDOW_EXTENSION, REPLY, DECISION, SAMPLE, STATEMENT,
    STATEMENT_LINE, APPROVAL, PAYEE, PAYEE_CONFIRMATION, PAY_FILE, PAY_ORDER, RECEIPT, PAY_RESULT, LEDGER,
    ADJUSTMENT, ADJUSTMENT_CONFIRMATION, ADVANCE, RUN, REFERENCE, STORED, VERSION,
)  # fmt: skip
# Rows of these are added and never changed or taken away.
APPEND_ONLY = (*TRACKED, EDGE, COMMIT)
# Rows of these may change; `VERSION` has them as they were.
STAYING = (BATCH, SUBMISSION, USER, USER_ROLE)

__all__ = [
    "ADJUSTMENT",
    "ADJUSTMENT_CONFIRMATION",
    "ADVANCE",
    "APPEND_ONLY",
    "APPROVAL",
    "BATCH",
    "BATCH_DUTY",
    "COMMIT",
    "DECISION",
    "EDGE",
    "FINDING",
    "JOB",
    "LEDGER",
    "LOG",
    "MARK",
    "META",
    "NOTICE",
    "NOW_SQL",
    "OUTBOX",
    "PAYEE",
    "PAYEE_CONFIRMATION",
    "PAY_FILE",
    "PAY_ORDER",
    "PAY_RESULT",
    "RECEIPT",
    "REFERENCE",
    "REPLY",
    "RUN",
    "SAMPLE",
    "STATEMENT",
    "STATEMENT_LINE",
    "STAYING",
    "STEPS",
    "STORED",
    "SUBMISSION",
    "TRACKED",
    "TRANSITION",
    "USER",
    "USER_ROLE",
    "VERSION",
    "WINDOW_EXTENSION",
]
