"""Words of a trace from a payment to its rows, and of what a check of the record found."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    # rows against what the log told
    "verify.batch": (
        "批次 {batch}:登记的状态 {state} 与其最后一步 {last} 不符",
        "batch {batch}: its state {state} is not where its last step {last} took it",
    ),
    "verify.step": (
        "批次 {batch} 第 {seq} 步({state})与日志第 {log} 条所记不符",
        "batch {batch}: step {seq} ({state}) is not what entry {log} of the log says",
    ),
    "verify.run_of": (
        "批次 {batch}:登记依据第 {run} 次运行,日志所记为第 {told} 次",
        "batch {batch} rests on run {run}; the log says run {told}",
    ),
    "verify.role": (
        "用户 {user}:现有岗位 {held},日志所记为 {told}",
        "user {user} has roles {held}; the log says {told}",
    ),
    "verify.told": (
        "日志第 {log} 条所记 {what} 的摘要 {digest} 在登记中已不存在,登记曾被改动",
        "entry {log} of the log tells of {what} with digest {digest}, which no row has: the row was altered",
    ),
    "verify.entered": (
        "日志第 {log} 条所记 {what} 与登记不符",
        "entry {log} of the log tells of {what} otherwise than its row",
    ),
    "verify.decided": (
        "{region} {month}:{actor} {day} 的复审决定合计与日志所记不符",
        "{region} {month}: decisions of {actor} on {day} do not add up to what the log says",
    ),
    "verify.signed_untold": (
        "批次 {batch}:{actor} 核准 {amount} 元,日志没有记载",
        "batch {batch}: {actor} signed {amount}, of which the log says nothing",
    ),
    "verify.signed_gone": (
        "批次 {batch}:日志所记 {actor} 核准 {amount} 元,登记中没有",
        "batch {batch}: the log says {actor} signed {amount}; there is no such row",
    ),
    # one part of the record against another
    "verify.run": (
        "{region} {month}:第 {run} 次运行的 {tables} 与其 run.json 所记不符",
        "{region} {month}: {tables} of run {run} are not what its run.json says",
    ),
    "verify.booking": ("{region} {month}:复审决定无法入账:{fault}", "{region} {month}: cannot book: {fault}"),
    "verify.finding": (
        "{region} {month} 机构 {code}:{count} 条疑点的登记与初审结果表不符,如 {finding}",
        "{region} {month} institution {code}: {count} findings on record differ from the audit's table, "
        "such as {finding}",
    ),
    "verify.decision": (
        "{region} {month} 机构 {code}:{count} 条疑点的复审结论或扣款与结算所用不符,如 {finding}",
        "{region} {month} institution {code}: decisions on {count} findings are not those it was settled "
        "with, such as {finding}",
    ),
    "verify.deducted": (
        "{region} {month} 机构 {code} 基金 {fund}:结算单扣款 {line} 元,复审决定入账合计 {other} 元",
        "{region} {month} institution {code} fund {fund}: the statement deducts {line}, what was decided "
        "and booked is {other}",
    ),
    "verify.cleared": (
        "{region} {month} 机构 {code} 基金 {fund}:结算单{what} {line} 元,清算分项合计 {other} 元",
        "{region} {month} institution {code} fund {fund}: {what} is {line} in the statement and {other} "
        "in the clearing",
    ),
    "verify.entry": (
        "{region} {month} 机构 {code} 基金 {fund}:{book}台账的登记与结算单不符",
        "{region} {month} institution {code} fund {fund}: ledger {book} differs from the statement",
    ),
    "verify.order": (
        "{region} {month} 拨付指令 {no}:指令 {order} 元,结算单 {line} 元,银行文件 {file} 中 {bank} 元;"
        "金额或收款账号不一致",
        "{region} {month} order {no}: {order} on record, {line} in the statement, {bank} in bank file "
        "{file}; amount or account differ",
    ),
    # months computed again
    "rebuild.step": ("重算", "rebuild"),
    "rebuild.table": (
        "{region} {month} 第 {run} 次运行 {table}:{said}",
        "{region} {month} run {run} {table}: {said}",
    ),
    "rebuild.equal": ("相同", "equal"),
    "rebuild.same_rows": ("内容相同,字节不同", "the same rows in other bytes"),
    "rebuild.different": ("不同,{rows} 行", "different, {rows} rows"),
    "rebuild.broken": ("无法重算:", "cannot be computed:"),
    "rebuild.otherwise": (
        "第 {run} 次运行之后本程序有改动:{words}",
        "since run {run} this program has changed: {words}",
    ),
    "rebuild.fault": (
        "重算 {region} {month} 第 {run} 次运行 {table}:{said}。可能的原因:{why}",
        "{region} {month} run {run} computed again, {table}: {said}. Likely cause: {why}",
    ),
    "rebuild.altered": (
        "程序、规则、政策均与当时相同,登记的数据曾被改动",
        "program, rules and policy are the same as then, so what is on record was altered",
    ),
    "rebuild.rules": ("规则 {what}", "rules {what}"),
    "rebuild.policy": ("政策参数文件 {what}", "policy profile {what}"),
    "rebuild.code": ("程序代码 {what}", "code {what}"),
    "rebuild.versions": ("组件版本 {what}", "versions {what}"),
    "rebuild.no_input": (
        "登记中没有运行所依据的申报:{codes}",
        "the submissions the run rested on are not on record: {codes}",
    ),
    "trace.fund_appy_sum": ("申报额", "the amount claimed"),
    "trace.det_sumamt": ("扣款", "the deduction"),
    # heads of the log kept outside
    "verify.proof_cut": (
        "证明 {proof}:日志第 {seq} 条不存在,现在只到第 {last} 条,日志尾部曾被截去",
        "proof {proof}: entry {seq} of the log is gone, the last one is {last}: the log's tail was cut off",
    ),
    "verify.proof_rewritten": (
        "证明 {proof}:日志第 {seq} 条的摘要应为 {wanted},现为 {found},日志在第 {seq} 条或之前曾被改写",
        "proof {proof}: entry {seq} of the log should have hash {wanted} and has {found}: "
        "the log was rewritten at or before it",
    ),
    # traces
    "trace.payment": ("拨付追溯", "Trace of a payment"),
    "trace.finding": ("疑点追溯", "Trace of a finding"),
    "trace.line": ("费用明细追溯", "Trace of a fee line"),
    "trace.settlement": ("结算追溯", "Trace of a settlement"),
    "trace.institution": ("机构追溯", "Trace of an institution"),
    "trace.masked": (
        "个人信息已脱敏。摘要只列前 16 位,全文见 --json。",
        "Personal data are masked. Digests show 16 digits; --json has them whole.",
    ),
    "trace.rest": ("其余 {n} 行", "{n} more rows"),
    "trace.sheet.line": ("结算单各项(元)", "the statement line (yuan)"),
    "trace.sheet.checks": ("核对", "checks"),
    "trace.sheet.orders": ("拨付指令与银行结果", "orders and bank results"),
    "trace.sheet.steps": ("经过(日志)", "steps (log)"),
    "trace.sheet.clearing": ("清算分项(元)", "clearing (yuan)"),
    "trace.sheet.findings": ("疑点", "findings"),
    "trace.sheet.decisions": ("反馈与复审(元)", "replies and decisions (yuan)"),
    "trace.sheet.settlements": ("结算(元)", "settlements (yuan)"),
    "trace.sheet.rules": ("规则", "rules"),
    "trace.sheet.parameters": ("参数", "parameters"),
    "trace.sheet.references": ("参考数据版本", "reference versions"),
    "trace.sheet.runs": ("运行", "runs"),
    "trace.sheet.lines": ("结算单(元)", "statement (yuan)"),
    "trace.sheet.settlement": ("结算", "settlement"),
    "trace.sheet.fee_lines": ("费用明细", "fee lines"),
    "trace.col.used": ("初审时所用参数及出处", "parameters used by the audit, with their sources"),
    "trace.sheet.used": ("初审时的规则与参数", "rules and parameters of the audit"),
    "trace.col.deducted": ("扣款", "deducted"),
    "trace.col.log": ("日志条号", "log"),
    "trace.col.at": ("时间", "time"),
    "trace.col.hash": ("日志摘要", "log hash"),
    "trace.col.day": ("日期", "day"),
    "trace.col.actor": ("经办人", "person"),
    "trace.col.reason": ("理由", "reason"),
    "trace.col.state": ("环节", "step"),
    "trace.col.check": ("核对项", "check"),
    "trace.col.left": ("合计", "sum"),
    "trace.col.right": ("结算单", "statement"),
    "trace.col.ok": ("相符", "equal"),
    "trace.col.item": ("项目", "item"),
    "trace.col.amount": ("金额", "amount"),
    "trace.col.business_no": ("业务号", "business no."),
    "trace.col.attempt": ("次", "attempt"),
    "trace.col.bankacct": ("收款账号", "account"),
    "trace.col.file": ("银行文件", "bank file"),
    "trace.col.result": ("银行结果", "bank result"),
    "trace.col.bank_day": ("银行日期", "bank day"),
    "trace.col.fail_reason": ("失败原因", "why it failed"),
    "trace.col.receipt": ("回单", "receipt"),
    "trace.col.rule": ("规则", "rule"),
    "trace.col.digest": ("摘要", "digest"),
    "trace.col.fund_amt": ("申报基金额", "claimed"),
    "trace.col.person": ("人员(脱敏)", "person (masked)"),
    "trace.col.reviewer": ("复审人", "reviewer"),
    "trace.col.decided_on": ("复审日期", "decided on"),
    "trace.col.name": ("数据表", "table"),
    "trace.col.rows": ("行数", "rows"),
    "trace.col.loaded_on": ("载入日", "loaded on"),
    "trace.col.value": ("取值", "value"),
    "trace.col.unit": ("单位", "unit"),
    "trace.col.from": ("起始日", "in force from"),
    "trace.col.source": ("出处", "source"),
    "trace.col.basis": ("法规依据", "legal basis"),
    "trace.col.run": ("运行号", "run"),
    "trace.col.stage": ("环节", "stage"),
    "trace.col.ran_on": ("日期", "day"),
    "trace.col.fingerprint": ("运行指纹", "fingerprint"),
    "trace.col.policy": ("政策摘要", "policy digest"),
    "trace.col.code": ("程序摘要", "code digest"),
    "trace.col.fund": ("基金", "fund"),
    "trace.col.versions": ("版本", "versions"),
    "trace.col.unchanged": ("与现行规则相同", "same as now"),
    "trace.col.what": ("事项", "what"),
    "trace.col.reads": ("所读数据表", "tables read"),
    "trace.col.parameter": ("参数", "parameter"),
    "trace.check.settlements": ("结算申报合计 = 结算单申报额", "settlements claimed = statement claimed"),
    "trace.check.cleared_claimed": (
        "清算分项申报合计 = 结算单申报额",
        "clearing claimed = statement claimed",
    ),
    "trace.check.cleared_deducted": (
        "清算分项扣款合计 = 结算单扣款",
        "clearing deducted = statement deducted",
    ),
    "trace.check.findings": (
        "疑点复审扣款合计 = 结算单扣款",
        "final deductions of findings = statement deducted",
    ),
    "trace.check.identity": ("各项相加减 = 本期实拨", "amounts added up = paid"),
    "trace.check.order": ("最近一次拨付指令 = 本期实拨", "last order = paid"),
    "trace.bank.PAID": ("成功", "paid"),
    "trace.bank.FAILED": ("失败", "failed"),
    "trace.bank.NONE": ("尚未回复", "no answer yet"),
}
