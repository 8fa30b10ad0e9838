"""What must not happen in the workflow database and needs a look at other rows to see.

Conditions in SQL that both databases understand; `settlement.store.guards` makes triggers of them. A
condition that comes out as NULL refuses nothing, so every one is written to be true or false.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from settlement import procedure
from settlement.store import schema as s

INSERT, UPDATE, DELETE, TRUNCATE = "INSERT", "UPDATE", "DELETE", "TRUNCATE"
# Where its way ends; '' for a batch that has not begun, because NULL would refuse nothing.
STATE_OF = (
    "coalesce((SELECT w.to_state FROM transition AS w WHERE w.batch_id = NEW.batch_id "
    "ORDER BY w.seq DESC LIMIT 1), '')"
)
# The last day to answer: as the notice says, or as a hold has moved it, which is only ever to a later day.
ANSWER_BY = (
    "coalesce((SELECT max(answer_by) FROM window_extension WHERE batch_id = NEW.batch_id), "
    "(SELECT answer_by FROM notice WHERE batch_id = NEW.batch_id))"
)
DATED = ("transition", "window_extension", "reply", "decision", "statement", "approval", "pay_order")
NOT_THE_MACHINE = (
    "NOT EXISTS (SELECT 1 FROM user_role AS m WHERE m.name = NEW.actor AND m.role = 'system' "
    "AND m.active) AND "
)
SAME_BYTES = (
    "EXISTS (SELECT 1 FROM submission AS s WHERE s.region = NEW.region AND s.clr_ym = NEW.clr_ym "
    "AND s.fixmedins_code = NEW.fixmedins_code AND s.digest = NEW.digest AND "
)
RUN_OF = "(SELECT run_id FROM batch WHERE id = NEW.batch_id)"


@dataclass(frozen=True)
class Guard:
    """What must not happen on a table: when the condition holds, the statement fails with the words."""

    name: str
    table: str
    event: str
    refused_when: str
    words: str


def _only(name: str, table: sa.Table, free: tuple[str, ...], words: str) -> Guard:
    """Refuse a change of any column but the free ones."""
    fixed = [c.name for c in table.columns if c.name not in free]
    changed = " OR ".join(f"CAST(NEW.{c} AS TEXT) <> CAST(OLD.{c} AS TEXT)" for c in fixed)
    return Guard(name, table.name, UPDATE, changed, words)


def _in_time(table: str, day: str = "day") -> Guard:
    """Refuse an act dated before the batch's last step."""
    later = f"EXISTS (SELECT 1 FROM transition AS t WHERE t.batch_id = NEW.batch_id AND t.day > NEW.{day})"
    return Guard(f"{table}_not_back", table, INSERT, later, "日期早于该批次的上一步")


def _on_way_by(state: str, name: str, duty: str, more: str, words: str) -> Guard:
    """Refuse a step taken by somebody who does not hold its duty in the batch."""
    holds = f"batch_id = NEW.batch_id AND actor = NEW.actor AND duty = '{duty}'"
    return _on_way_to(
        state,
        name,
        f"NEW.from_state <> 'HOLD' AND {more}NOT EXISTS (SELECT 1 FROM batch_duty WHERE {holds})",
        words,
    )


def _on_way_to(state: str, name: str, condition: str, words: str) -> Guard:
    return Guard(f"to_{name}", "transition", INSERT, f"NEW.to_state = '{state}' AND {condition}", words)


RULES: tuple[Guard, ...] = (
    Guard(
        "batch_way",
        "batch",
        UPDATE,
        "NEW.id <> OLD.id OR NEW.region <> OLD.region OR NEW.clr_ym <> OLD.clr_ym "
        "OR NEW.fixmedins_code <> OLD.fixmedins_code OR NEW.submission_id <> OLD.submission_id "
        "OR NEW.declared_on <> OLD.declared_on OR NEW.seq IS NULL "
        "OR NEW.seq NOT IN (coalesce(OLD.seq, 0), coalesce(OLD.seq, 0) + 1) "
        "OR NOT EXISTS (SELECT 1 FROM transition AS t WHERE t.batch_id = NEW.id AND t.seq = NEW.seq "
        "AND t.to_state = NEW.state AND t.to_held = NEW.held)",
        "批次状态只能随流转记录前进一步",
    ),
    Guard(
        "batch_run",
        "batch",
        UPDATE,
        "coalesce(NEW.run_id, 0) <> coalesce(OLD.run_id, 0) AND (coalesce(OLD.state, '') NOT IN "
        "('ACCEPTED', 'PRELIM') OR EXISTS (SELECT 1 FROM notice WHERE batch_id = OLD.id))",
        "初审结果发出后不得更换",
    ),
    Guard(
        "batch_new",
        "batch",
        INSERT,
        "NEW.state IS NOT NULL OR NEW.held IS NOT NULL OR NEW.seq IS NOT NULL OR NEW.run_id IS NOT NULL",
        "新批次尚无状态",
    ),
    Guard(
        "submission_attempt",
        "submission",
        INSERT,
        f"{SAME_BYTES}s.status <> 'RETURNED') OR NEW.attempt < 1 "
        f"OR (NEW.attempt > 1 AND NOT {SAME_BYTES}s.attempt = NEW.attempt - 1))",
        "同一申报只有在不予受理后才能再次受理",
    ),
    _only("submission_facts", s.SUBMISSION, ("current",), "申报记录只可改为不再有效"),
    _only("user_name", s.USER, ("full_name", "fixmedins_code"), "用户名不得修改"),
    _only("role_name", s.USER_ROLE, ("active",), "岗位只可停用或恢复"),
    Guard(
        "edge_known",
        "edge",
        INSERT,
        "(NEW.from_state, NEW.from_held, NEW.to_state, NEW.to_held) NOT IN (VALUES "
        + ", ".join(str(edge) for edge in procedure.EDGES)
        + ")",
        "程序没有这一步",
    ),
    Guard(
        "transition_one_step",
        "transition",
        INSERT,
        "coalesce((SELECT seq FROM batch WHERE id = NEW.batch_id), 0) <> coalesce(NEW.prev_seq, 0)",
        "批次须先停在上一步",
    ),
    *(_in_time(table) for table in DATED),
    _in_time("notice", "sent_on"),
    _on_way_by("PRELIM", "prelim_by", "first_review", NOT_THE_MACHINE, "初审须由担任该批次初审的人办理"),
    _on_way_by("FEEDBACK", "feedback_by", "first_review", NOT_THE_MACHINE, "初审须由担任该批次初审的人办理"),
    _on_way_by("APPROVED", "approved_by", "leader", "", "核准须由该批次的核准人办理"),
    _on_way_by("PAID", "paid_by", "finance", "", "拨付须由该批次的拨付人办理"),
    _on_way_to(
        "FEEDBACK",
        "feedback",
        "NEW.from_state = 'PRELIM' AND NOT EXISTS (SELECT 1 FROM notice WHERE batch_id = NEW.batch_id)",
        "初审结果尚未发出",
    ),
    _on_way_to(
        "REVIEW",
        "review",
        f"NEW.from_state = 'FEEDBACK' AND NEW.day <= {ANSWER_BY} AND EXISTS (SELECT 1 FROM finding AS f "
        f"WHERE f.batch_id = NEW.batch_id AND f.run_id = {RUN_OF} AND NOT EXISTS (SELECT 1 FROM reply AS r "
        "WHERE r.batch_id = f.batch_id AND r.run_id = f.run_id AND r.finding_id = f.finding_id))",
        "反馈期未满且尚有未答复的疑点",
    ),
    _on_way_to(
        "SETTLED",
        "settled",
        "NEW.from_state = 'REVIEW' AND (NOT EXISTS (SELECT 1 FROM statement WHERE batch_id = NEW.batch_id) "
        "OR NOT EXISTS (SELECT 1 FROM batch_duty WHERE batch_id = NEW.batch_id AND duty = 'second_review') "
        f"OR EXISTS (SELECT 1 FROM finding AS f WHERE f.batch_id = NEW.batch_id AND f.run_id = {RUN_OF} "
        "AND NOT EXISTS (SELECT 1 FROM decision AS d WHERE d.batch_id = f.batch_id AND d.run_id = f.run_id "
        "AND d.finding_id = f.finding_id)))",
        "复审尚未完成",
    ),
    _on_way_to(
        "SETTLED",
        "settled_sums",
        "NEW.from_state = 'REVIEW' AND NOT EXISTS (SELECT 1 FROM statement AS s "
        "WHERE s.batch_id = NEW.batch_id AND s.payable_fen = (SELECT coalesce(sum(l.act_dfr_fen), 0) "
        "FROM statement_line AS l WHERE l.batch_id = s.batch_id) "
        "AND s.carry_fen = (SELECT coalesce(sum(l.carry_fen), 0) "
        "FROM statement_line AS l WHERE l.batch_id = s.batch_id))",
        "结算单合计与各基金不符",
    ),
    _on_way_to(
        "SETTLED",
        "settled_deductions",
        "NEW.from_state = 'REVIEW' AND (SELECT coalesce(sum(l.det_fen), 0) FROM statement_line AS l "
        "WHERE l.batch_id = NEW.batch_id) > (SELECT coalesce(sum(d.final_fen), 0) FROM decision AS d "
        "WHERE d.batch_id = NEW.batch_id AND d.turn = (SELECT max(e.turn) FROM decision AS e "
        "WHERE e.batch_id = d.batch_id AND e.run_id = d.run_id AND e.finding_id = d.finding_id))",
        "结算单的扣款超过复审决定",
    ),
    _on_way_to(
        "APPROVED",
        "approved",
        "NEW.from_state = 'SETTLED' AND (SELECT count(*) FROM approval WHERE batch_id = NEW.batch_id) "
        "< coalesce((SELECT signatures FROM statement WHERE batch_id = NEW.batch_id), 1)",
        "核准签字不足",
    ),
    _on_way_to(
        "PAID",
        "paid",
        "EXISTS (SELECT 1 FROM statement_line AS l WHERE l.batch_id = NEW.batch_id AND l.act_dfr_fen > 0 "
        "AND NOT EXISTS (SELECT 1 FROM pay_order AS o WHERE o.batch_id = l.batch_id "
        "AND o.fund_pay_type = l.fund_pay_type))",
        "尚有应付基金没有拨付指令",
    ),
    _on_way_to(
        "CARRIED",
        "carried",
        "coalesce((SELECT payable_fen FROM statement WHERE batch_id = NEW.batch_id), 1) > 0",
        "有应付金额的批次不得结转",
    ),
    _on_way_to(
        "CLOSED",
        "closed",
        "NEW.from_state = 'PAID' AND EXISTS (SELECT 1 FROM statement_line AS l "
        "WHERE l.batch_id = NEW.batch_id AND l.act_dfr_fen > 0 AND NOT EXISTS (SELECT 1 FROM pay_result AS r "
        "WHERE r.batch_id = l.batch_id AND r.fund_pay_type = l.fund_pay_type AND r.result = 'PAID'))",
        "尚有款项没有银行成功回单",
    ),
    Guard(
        "duty_active",
        "batch_duty",
        INSERT,
        "NOT EXISTS (SELECT 1 FROM user_role WHERE name = NEW.actor AND role = NEW.duty AND active)",
        "该用户没有这个岗位",
    ),
    Guard(
        "finding_in_time",
        "finding",
        INSERT,
        f"{STATE_OF} NOT IN ('ACCEPTED', 'PRELIM') "
        "OR EXISTS (SELECT 1 FROM notice WHERE batch_id = NEW.batch_id)",
        "初审结果发出后不得增加疑点",
    ),
    Guard("notice_in_time", "notice", INSERT, f"{STATE_OF} <> 'PRELIM'", "只有已初审的批次可以发送初审结果"),
    Guard(
        "extension_on_hold",
        "window_extension",
        INSERT,
        "NOT EXISTS (SELECT 1 FROM transition AS h WHERE h.batch_id = NEW.batch_id AND h.seq = NEW.hold_seq "
        "AND h.to_state = 'HOLD' AND h.to_held = 'FEEDBACK' AND NOT EXISTS (SELECT 1 FROM transition AS t "
        "WHERE t.batch_id = h.batch_id AND t.seq > h.seq))",
        "只有在反馈期暂停、尚未恢复的批次可以顺延反馈期限",
    ),
    Guard("extension_later", "window_extension", INSERT, f"NEW.answer_by <= {ANSWER_BY}", "反馈期限只能顺延"),
    Guard("reply_open", "reply", INSERT, f"{STATE_OF} <> 'FEEDBACK'", "反馈已结束,疑点不再接受答复"),
    Guard("reply_in_time", "reply", INSERT, f"NEW.day > {ANSWER_BY}", "已过反馈期限"),
    Guard(
        "reply_turn",
        "reply",
        INSERT,
        "NEW.turn <> 1 + (SELECT count(*) FROM reply AS r WHERE r.batch_id = NEW.batch_id "
        "AND r.run_id = NEW.run_id AND r.finding_id = NEW.finding_id)",
        "答复次序不连续",
    ),
    Guard("decision_open", "decision", INSERT, f"{STATE_OF} <> 'REVIEW'", "只有复审中的批次可以作出决定"),
    Guard(
        "decision_before_statement",
        "decision",
        INSERT,
        "EXISTS (SELECT 1 FROM statement WHERE batch_id = NEW.batch_id)",
        "已出结算单,不得再作决定",
    ),
    Guard(
        "decision_turn",
        "decision",
        INSERT,
        "NEW.turn <> 1 + (SELECT count(*) FROM decision AS d WHERE d.batch_id = NEW.batch_id "
        "AND d.run_id = NEW.run_id AND d.finding_id = NEW.finding_id)",
        "决定次序不连续",
    ),
    Guard("statement_open", "statement", INSERT, f"{STATE_OF} <> 'REVIEW'", "只有复审中的批次可以结算"),
    Guard(
        "statement_line_open", "statement_line", INSERT, f"{STATE_OF} <> 'REVIEW'", "只有复审中的批次可以结算"
    ),
    Guard("approval_open", "approval", INSERT, f"{STATE_OF} <> 'SETTLED'", "只有已结算的批次可以核准"),
    Guard(
        "order_open",
        "pay_order",
        INSERT,
        f"NOT ({STATE_OF} = 'APPROVED' OR ({STATE_OF} = 'PAID' AND NEW.attempt > 1))",
        "只有已核准的批次可以拨付",
    ),
    Guard(
        "order_account_clear",
        "pay_order",
        INSERT,
        "(EXISTS (SELECT 1 FROM payee AS p WHERE p.batch_id = NEW.batch_id AND p.bankacct = NEW.bankacct "
        "AND p.warning <> '') OR EXISTS (SELECT 1 FROM payee AS p, payee AS q "
        "WHERE p.batch_id = NEW.batch_id AND p.bankacct = NEW.bankacct AND q.bankacct = p.bankacct "
        "AND q.fixmedins_code <> p.fixmedins_code "
        "AND (SELECT region || clr_ym FROM batch WHERE id = q.batch_id) "
        "= (SELECT region || clr_ym FROM batch WHERE id = p.batch_id))) "
        "AND NOT EXISTS (SELECT 1 FROM payee_confirmation AS c WHERE c.batch_id = NEW.batch_id "
        "AND c.bankacct = NEW.bankacct AND c.actor <> NEW.actor)",
        "收款账户有疑点,须由另一人确认",
    ),
    Guard(
        "adjustment_two_people",
        "adjustment_confirmation",
        INSERT,
        "EXISTS (SELECT 1 FROM adjustment WHERE id = NEW.adjustment_id AND actor = NEW.actor)",
        "往期调整须由另一人确认",
    ),
)
