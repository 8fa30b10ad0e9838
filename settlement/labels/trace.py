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
}
