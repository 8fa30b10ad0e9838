"""Words of history: the views auditors ask."""

WORDS: dict[str, tuple[str, str]] = {
    "view.v_settlement": (
        "受理的结算,每笔一行(当前受理的申报)",
        "accepted settlements of the submissions that count, one row each",
    ),
    "view.v_fee": (
        "受理结算的费用明细,每行一条,另有机构与人员",
        "fee lines of accepted settlements, with institution and person",
    ),
    "view.v_finding": (
        "疑点,每条一行,同该月最新一次运行发布的 findings",
        "findings, one row each, as the month's newest run published them",
    ),
    "view.v_decision": (
        "机构的每次答复与复审的每次决定",
        "every answer of an institution and every decision on review",
    ),
    "view.v_payment": (
        "拨付:机构×基金,由申报到实拨,同该月最新一次结算",
        "payment by institution and fund, as last calculated",
    ),
    "view.v_ledger": ("台账的每笔变动", "every movement of the ledgers"),
    "view.v_log": (
        "日志:谁在何时做了什么;限定统筹区或年月时只含其条目",
        "the log: who did what, and when; within a span, its own entries only",
    ),
    "ask.fixmedins_code": ("定点医药机构编号", "institution code"),
    "ask.kind": ("答复 reply 或决定 decision", "reply or decision"),
    "ask.turn": ("第几次", "turn"),
    "ask.outcome": ("机构意见或复审结论", "answer or outcome"),
    "ask.amount": ("认可金额或复审金额", "amount agreed or upheld"),
    "ask.reason": ("理由", "reason"),
    "ask.attachments": ("佐证材料", "attachments"),
    "ask.day": ("日期", "day"),
    "ask.actor": ("经办人", "who"),
    "ask.finding_id": ("疑点号", "finding id"),
    "ask.fund_pay_type": ("基金支付类型", "fund"),
    "ask.seq": ("序号", "number"),
    "ask.source": ("来源(结算单、计划、调整或年度)", "what brought it: statement, plan, adjustment or year"),
    "ask.at": ("时刻", "time"),
    "ask.action": ("事项", "deed"),
    "ask.subject": ("对象", "subject"),
    "ask.before": ("之前", "before"),
    "ask.after": ("之后", "after"),
    "ask.hash": ("摘要", "hash"),
    "ask.column": ("列", "column"),
    "ask.type": ("类型", "type"),
    "ask.unit": ("单位", "unit"),
    "ask.label": ("含义", "meaning"),
    "ask.result": ("查询结果", "Result"),
    "ask.more": (
        "另有 {more} 行未显示(--rows 可增加,--out 可写成文件)",
        "{more} more rows (see --rows, --out)",
    ),
    "ask.rows": ("{rows} 行", "{rows} rows"),
    "ask.written": ("已写入 {path},{rows} 行", "wrote {path}, {rows} rows"),
}
