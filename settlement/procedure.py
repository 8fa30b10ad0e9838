"""The procedure of a batch (institution x month): its states, the edges between them, who may do what.

The tables here are what the store's own constraints are made from (`settlement.store.schema`), so a
command, a second process and a hand-written SQL session meet the same rules.
Source: 附件5 公共服务事项指南 items 27 and 28; 社会保险经办条例 arts 36-38 (posts kept apart).
"""

from __future__ import annotations

from dataclasses import dataclass

DECLARED, RETURNED, ACCEPTED, PRELIM = "DECLARED", "RETURNED", "ACCEPTED", "PRELIM"
FEEDBACK, REVIEW, SETTLED, APPROVED = "FEEDBACK", "REVIEW", "SETTLED", "APPROVED"
PAID, CLOSED, HOLD, CARRIED = "PAID", "CLOSED", "HOLD", "CARRIED"

STATES: dict[str, tuple[str, str]] = {
    DECLARED: ("已申报", "declared"),
    RETURNED: ("不予受理", "refused"),
    ACCEPTED: ("已受理", "accepted"),
    PRELIM: ("已初审", "audited"),
    FEEDBACK: ("待反馈", "awaiting reply"),
    REVIEW: ("复审中", "under review"),
    SETTLED: ("已结算", "settled"),
    APPROVED: ("已核准", "approved"),
    PAID: ("已拨付", "paid"),
    CLOSED: ("已办结", "closed"),
    HOLD: ("暂停", "on hold"),
    CARRIED: ("结转", "carried forward"),
}
_FORWARD = (
    ("", DECLARED),
    (DECLARED, RETURNED),
    (DECLARED, ACCEPTED),
    (ACCEPTED, PRELIM),
    (PRELIM, FEEDBACK),
    (FEEDBACK, REVIEW),
    (REVIEW, SETTLED),
    (SETTLED, APPROVED),
    (APPROVED, PAID),
    (APPROVED, CARRIED),
    (PAID, CLOSED),
    (CARRIED, CLOSED),
)
# 国令735 art 30, 令7号 art 17: settlement and payment may be suspended until the probe ends.
CAN_BE_HELD = (ACCEPTED, PRELIM, FEEDBACK, REVIEW, SETTLED, APPROVED)
# (from state, held from, to state, held from): a held batch goes back to the state it left, no other.
EDGES: tuple[tuple[str, str, str, str], ...] = (
    *((a, "", b, "") for a, b in _FORWARD),
    *((s, "", HOLD, s) for s in CAN_BE_HELD),
    *((HOLD, s, s, "") for s in CAN_BE_HELD),
)
OPEN = (DECLARED, ACCEPTED, PRELIM, FEEDBACK, REVIEW, SETTLED, APPROVED, PAID, HOLD, CARRIED)

ADMIN, RECEPTION, FIRST_REVIEW, SECOND_REVIEW = "admin", "reception", "first_review", "second_review"
SETTLEMENT, LEADER, FINANCE = "settlement", "leader", "finance"
INSTITUTION, AUDITOR, SYSTEM = "institution", "auditor", "system"
ROLES: dict[str, tuple[str, str]] = {
    ADMIN: ("系统管理员", "administrator"),
    RECEPTION: ("受理岗", "reception"),
    FIRST_REVIEW: ("初审岗", "first review"),
    SECOND_REVIEW: ("复审岗", "second review"),
    SETTLEMENT: ("结算岗", "settlement"),
    LEADER: ("负责人", "leader"),
    FINANCE: ("财务岗", "finance"),
    INSTITUTION: ("定点机构", "institution"),
    AUDITOR: ("审计", "auditor"),
    SYSTEM: ("系统", "system"),
}
# Four different people: nobody holds two of these for one batch.
DUTIES = (FIRST_REVIEW, SECOND_REVIEW, LEADER, FINANCE)

# The machine, and the robots of a demonstration, one per post.
MACHINE = "system"
ROBOTS: dict[str, str] = {
    "robot_reception": RECEPTION,
    "robot_first_review": FIRST_REVIEW,
    "robot_institution": INSTITUTION,
    "robot_second_review": SECOND_REVIEW,
    "robot_settlement": SETTLEMENT,
    "robot_leader": LEADER,
    "robot_leader_2": LEADER,
    "robot_finance": FINANCE,
}

AGREED, PARTLY_AGREED, DISPUTED, SILENT = "认可", "部分认可", "不认可", "逾期未反馈"
ANSWERS = (AGREED, PARTLY_AGREED, DISPUTED)
UPHELD, PARTLY_UPHELD, WITHDRAWN = "维持", "部分维持", "撤销"
OUTCOMES = (UPHELD, PARTLY_UPHELD, WITHDRAWN)


@dataclass(frozen=True)
class Deed:
    """Something people do: its name in the log, its words, the roles that may, and the duty it takes up."""

    name: str
    zh: str
    en: str
    roles: tuple[str, ...]
    duty: str = ""


_DEEDS = (
    Deed("user", "登记用户", "register a user", (ADMIN,)),
    Deed("reference", "载入参考数据", "load reference data", (ADMIN, RECEPTION, SETTLEMENT, SYSTEM)),
    Deed("calendar", "载入工作日历", "load a calendar year", (ADMIN, SETTLEMENT, SYSTEM)),
    Deed("intake", "接收受理", "take in", (RECEPTION, SYSTEM)),
    Deed("audit", "初审", "audit", (FIRST_REVIEW, SYSTEM), FIRST_REVIEW),
    Deed("notify", "发送初审结果", "send findings", (FIRST_REVIEW, SYSTEM), FIRST_REVIEW),
    Deed("reply", "登记反馈", "take in a reply", (INSTITUTION, RECEPTION, SYSTEM)),
    Deed("close_feedback", "反馈到期", "close feedback", (SECOND_REVIEW, SYSTEM)),
    Deed("review", "复审", "review", (SECOND_REVIEW,), SECOND_REVIEW),
    Deed("calculate", "结算", "settle", (SETTLEMENT, SYSTEM)),
    Deed("approve", "核准", "approve", (LEADER,), LEADER),
    Deed("confirm_account", "确认收款账户", "confirm an account", (SETTLEMENT, LEADER)),
    Deed("disburse", "拨付", "disburse", (FINANCE,), FINANCE),
    Deed("receipt", "登记银行回单", "take in a bank return", (FINANCE, SYSTEM)),
    Deed("close", "办结", "close", (FINANCE, SETTLEMENT, SYSTEM)),
    Deed("hold", "暂停", "hold", (LEADER,)),
    Deed("resume", "恢复", "resume", (LEADER,)),
    Deed("adjust", "登记往期调整", "enter a prior-period adjustment", (SECOND_REVIEW,)),
    Deed("confirm_adjust", "确认往期调整", "confirm an adjustment", (LEADER,)),
    Deed("advance", "登记周转金", "enter an advance", (LEADER,)),
    Deed("return_deposit", "清退质量保证金", "return deposits", (LEADER,)),
    Deed("restore", "从备份恢复", "restore from a backup", (ADMIN,)),
    Deed("retention", "删除原始申报", "remove originals", (LEADER, SYSTEM)),
    Deed("sample_draw", "抽取样本", "draw a sample", (AUDITOR, LEADER, SECOND_REVIEW)),
    Deed("export", "导出数据", "export records", (AUDITOR, LEADER)),
    Deed("schedule", "运行定时任务", "run scheduled jobs", (SYSTEM,)),
)
DEEDS: dict[str, Deed] = {deed.name: deed for deed in _DEEDS}
