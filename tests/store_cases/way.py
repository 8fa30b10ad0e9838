"""A batch's way through its states."""

from __future__ import annotations

from tests.store_cases.case import (
    DECLARED,
    REVIEW,
    TWICE,
    Case,
)
from tests.store_world import B, add, arrive, batch, day, step, submission, transition

# A second batch of the institution whose batch stands at `declared`, resubmitted under another number.
SECOND_BATCH = (
    submission(90, fixmedins_code=f"H{DECLARED}", current=False),
    batch(90, fixmedins_code=f"H{DECLARED}"),
    transition(90, 1, ("", ""), ("DECLARED", "")),
)
AFTER_REFUSAL = (
    submission(91, fixmedins_code=f"H{B['RETURNED']}", current=False),
    batch(91, fixmedins_code=f"H{B['RETURNED']}"),
    transition(91, 1, ("", ""), ("DECLARED", "")),
    arrive(91, 1, "DECLARED"),
)
CASES = (
    Case(
        "a state without a transition",
        f"UPDATE batch SET state = 'PAID' WHERE id = {REVIEW}",
        "批次状态只能随流转记录",
        ("batch_way", "batch_where_its_way_ends_update"),
    ),
    Case(
        "a state without a transition, and its number",
        arrive(REVIEW, 6, "SETTLED"),
        "批次状态只能随流转记录",
        ("batch_way", "batch_where_its_way_ends_update"),
    ),
    Case(
        "back to a state it was in", arrive(REVIEW, 4, "FEEDBACK"), "批次状态只能随流转记录", ("batch_way",)
    ),
    Case(
        "no state at all",
        f"UPDATE batch SET state = NULL, seq = NULL, held = NULL WHERE id = {REVIEW}",
        "批次状态只能随流转记录",
        ("batch_way",),
    ),
    Case(
        "a batch of another month",
        f"UPDATE batch SET clr_ym = '202605' WHERE id = {REVIEW}",
        "批次状态只能随流转记录",
        ("batch_way",),
    ),
    Case(
        "a batch under another number",
        f"UPDATE batch SET id = 99 WHERE id = {REVIEW}",
        "批次状态只能随流转记录",
        ("batch_way", "batch_where_its_way_ends_update", "one_live_batch"),
    ),
    Case(
        "a batch declared on another day",
        f"UPDATE batch SET declared_on = '2026-05-20' WHERE id = {REVIEW}",
        "批次状态只能随流转记录",
        ("batch_way",),
    ),
    Case(
        "a batch of another submission",
        f"UPDATE batch SET submission_id = 90 WHERE id = {REVIEW}",
        "批次状态只能随流转记录|记录",
        ("batch_way",),
        (submission(90),),
    ),
    Case("a batch taken away", f"DELETE FROM batch WHERE id = {DECLARED}", "记录不得删除", ("batch_delete",)),
    Case(
        "a new batch that is paid",
        batch(90, state="PAID", held="", seq=1),
        "新批次尚无状态",
        ("batch_new", "batch_where_its_way_ends_insert"),
        (submission(90),),
        (batch(90),),
    ),
    Case(
        "a new batch that is audited",
        batch(90, run_id=1),
        "新批次尚无状态",
        ("batch_new",),
        (submission(90),),
    ),
    Case(
        "a batch of no submission",
        batch(90),
        "batch_submission_id_fkey",
        ("batch_submission_id_fkey_insert",),
    ),
    Case("two batches of one submission", batch(90, submission_id=REVIEW), TWICE),
    Case(
        "two live batches of one month",
        arrive(90, 1, "DECLARED"),
        "记录已存在|one_live_batch",
        before=SECOND_BATCH,
        lawful=AFTER_REFUSAL,
    ),
    Case(
        "a live batch replaced by another",
        arrive(90, 1, "DECLARED").replace("UPDATE", "UPDATE OR REPLACE"),
        "记录已存在",
        ("one_live_batch",),
        SECOND_BATCH,
        only="sqlite",
    ),
    Case(
        "an edge of one's own",
        add("edge", from_state="REVIEW", from_held="", to_state="PAID", to_held=""),
        "程序没有这一步",
        ("edge_known",),
    ),
    Case(
        "a transition that starts elsewhere",
        step("REVIEW", "REVIEW", from_state="FEEDBACK"),
        "transition_starts_where_the_last_ended",
        ("transition_starts_where_the_last_ended_insert",),
    ),
    Case(
        "a transition after none",
        step("DECLARED", "ACCEPTED", prev_seq=None),
        "transition_next|批次须先停在",
        ("transition_one_step", "check"),
    ),
    Case(
        "a transition that leaves a number out",
        transition(DECLARED, 4, ("DECLARED", ""), ("ACCEPTED", ""), prev_seq=2),
        "transition_next|批次须先停在",
        ("transition_one_step", "check", "transition_starts_where_the_last_ended_insert"),
    ),
    Case(
        "a first transition for the second time",
        transition(REVIEW, 1, ("", ""), ("DECLARED", "")),
        f"{TWICE}|批次须先停在|日期早于",
    ),
    Case(
        "a transition ahead of the batch",
        transition(DECLARED, 3, ("ACCEPTED", ""), ("PRELIM", ""), actor="system"),
        "批次须先停在上一步",
        ("transition_one_step",),
        (step("DECLARED", "ACCEPTED"),),
        (
            arrive(DECLARED, 2, "ACCEPTED"),
            transition(DECLARED, 3, ("ACCEPTED", ""), ("PRELIM", ""), actor="system"),
        ),
    ),
    Case(
        "a transition no log entry tells of",
        step("DECLARED", "ACCEPTED", log_seq=99999),
        "transition_log_seq_fkey",
        ("transition_log_seq_fkey_insert",),
        lawful=(step("DECLARED", "ACCEPTED"),),
    ),
    Case(
        "a transition by nobody",
        step("DECLARED", "ACCEPTED", actor="nobody"),
        "transition_actor_fkey",
        ("transition_actor_fkey_insert",),
    ),
    Case(
        "from hold to a later state",
        step("HOLD REVIEW", "SETTLED"),
        "transition_along_an_edge",
        ("transition_along_an_edge_insert",),
        lawful=(step("HOLD REVIEW", "REVIEW"),),
    ),
    Case(
        "hold that remembers another state",
        step("REVIEW", "HOLD", "APPROVED"),
        "transition_along_an_edge",
        ("transition_along_an_edge_insert",),
        lawful=(step("REVIEW", "HOLD", "REVIEW"),),
    ),
    Case(
        "the clock goes backwards",
        step("DECLARED", "ACCEPTED", day="2026-05-03"),
        "日期早于该批次的上一步",
        ("transition_not_back",),
        lawful=(step("DECLARED", "ACCEPTED", day=day(1)),),
    ),
)
