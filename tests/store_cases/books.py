"""Ledgers, adjustments, advances, and the log."""

from __future__ import annotations

from tests.store_cases.case import TWICE, Case
from tests.store_world import LAST_ENTRY, add, adjustment, advance, day, entry, ledger

CASES = (
    Case(
        "an entry that does not open where the last closed",
        ledger(3, 4999, 1),
        "ledger_opens_where_it_closed",
        ("ledger_opens_where_it_closed_insert",),
        lawful=(ledger(3, 5000, 1),),
    ),
    Case("an entry after none", ledger(3, 0, 1, prev_seq=None), "ledger_next", ("check",)),
    Case("an entry that opens a book anew", ledger(1, 0, 1, source="x"), TWICE),
    Case("an entry that forks a book", ledger(2, 4500, 1, source="x"), TWICE),
    Case(
        "a ledger entry that leaves a number out", ledger(4, 5000, 1, prev_seq=2), "ledger_next", ("check",)
    ),
    Case(
        "a first entry that opens with money",
        ledger(1, 1, 1, fixmedins_code="H9"),
        "ledger_next",
        ("check",),
        lawful=(ledger(1, 0, 1, fixmedins_code="H9"),),
    ),
    Case("an entry that does not add up", ledger(3, 5000, 1, closing_fen=5002), "ledger_sum", ("check",)),
    Case(
        "a deposit below zero",
        ledger(3, 5000, 0, minus_fen=5001, closing_fen=-1),
        "ledger_not_below_zero",
        ("check",),
        lawful=(ledger(3, 5000, 0, minus_fen=5000, closing_fen=0),),
    ),
    Case(
        "an entry with a minus of less than nothing",
        ledger(3, 5000, 0, minus_fen=-1, closing_fen=5001),
        "ledger_signs",
        ("check",),
    ),
    Case("two entries of one source", ledger(3, 5000, 1, source="s1"), TWICE),
    Case(
        "an adjustment its author confirms",
        add("adjustment_confirmation", adjustment_id=2, day=day(2), actor="second"),
        "往期调整须由另一人确认",
        ("adjustment_two_people",),
        lawful=(add("adjustment_confirmation", adjustment_id=2, day=day(2), actor="boss"),),
    ),
    Case(
        "an adjustment confirmed twice",
        add("adjustment_confirmation", adjustment_id=1, day=day(2), actor="deputy"),
        TWICE,
    ),
    Case(
        "an adjustment of nothing",
        adjustment(3, amount_fen=0),
        "adjustment_amount",
        ("check",),
        lawful=(adjustment(3),),
    ),
    Case("an adjustment without a reason", adjustment(3, reason=" "), "adjustment_reason", ("check",)),
    Case("an adjustment twice", adjustment(3, finding_id="f1"), TWICE),
    Case(
        "an advance of nothing", advance(2, amount_fen=0), "advance_amount", ("check",), lawful=(advance(2),)
    ),
    Case("an advance over no months", advance(2, months=0), "advance_months", ("check",)),
    Case("an advance twice", advance(2, fixmedins_code="H1"), TWICE),
)

NEXT, MIDDLE = LAST_ENTRY + 1, {"prev_seq": 3, "prev_hash": "h3"}
LOG_CASES = (
    Case("an entry that forks the log", entry(NEXT, **MIDDLE), f"log_next|{TWICE}", lawful=(entry(NEXT),)),
    Case("an entry after no number", entry(NEXT, prev_seq=None), "log_next", ("check",)),
    Case("an entry after nothing", entry(NEXT, prev_seq=None, prev_hash=None), "log_next", ("check",)),
    Case("an entry that names another hash", entry(NEXT, prev_hash="h3"), "log_chain", ("log_chain_insert",)),
    Case(
        "an entry that leaves a number out",
        entry(NEXT + 1),
        "log_chain",
        ("log_chain_insert",),
        lawful=(entry(NEXT), entry(NEXT + 1)),
    ),
    Case(
        "an entry before the first",
        entry(0, prev_seq=-1, prev_hash="h3"),
        "log_next|log_chain",
        ("check", "log_chain_insert"),
    ),
    Case("an entry over another", entry(3, hash="x"), TWICE),
    Case("two entries of one hash", entry(NEXT, hash="h3"), TWICE),
    Case("an entry edited", "UPDATE log SET reason = 'x' WHERE seq = 3", "记录不得修改", ("log_update",)),
    Case("an entry deleted in the middle", "DELETE FROM log WHERE seq = 3", "记录不得删除", ("log_delete",)),
    Case(
        "the last entry deleted", f"DELETE FROM log WHERE seq = {LAST_ENTRY}", "记录不得删除", ("log_delete",)
    ),
    Case(
        "an entry replaced",
        entry(3, hash="x").replace("INSERT", "INSERT OR REPLACE"),
        "记录已存在",
        ("log_twice",),
        only="sqlite",
    ),
    Case(
        "an entry replaced by upsert",
        f"{entry(3, hash='x')} ON CONFLICT (seq) DO UPDATE SET hash = 'x'",
        "记录已存在|记录不得修改",
        ("log_twice", "log_update"),
    ),
)
