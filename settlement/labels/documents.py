"""Titles of documents and sheets, and what stands in them outside the tables."""

WORDS: dict[str, tuple[str, str]] = {
    # documents
    "doc.summary": ("拨付汇总表", "Payment summary"),
    "doc.statement": ("医疗保障费用月结算单", "Monthly settlement statement"),
    "doc.findings": ("审核扣款明细表", "Audit findings and deductions"),
    "doc.accepted": ("受理通知书", "Notice of acceptance"),
    "doc.refused": ("不予受理通知书", "Notice of refusal"),
    "doc.rules": ("规则运行统计", "Rule statistics"),
    "doc.proof": ("运行证明", "Proof of run"),
    "doc.voucher": ("基金拨付凭证摘要", "Payment voucher summary"),
    "doc.carry_ledger": ("追回与结转台账", "Ledger of amounts carried and clawed back"),
    "doc.deposit_ledger": ("质量保证金台账", "Quality deposit ledger"),
    "doc.advance_ledger": ("周转金台账", "Advance ledger"),
    "doc.deadlines": ("时限监测表", "Deadlines"),
    # sheets
    "sheet.summary": ("拨付汇总", "Payments"),
    "sheet.by_fund": ("分基金", "By fund"),
    "sheet.by_institution": ("分机构", "By institution"),
    "sheet.statement": ("月结算单", "Statement"),
    "sheet.notice": ("通知书", "Notice"),
    "sheet.faults": ("差错清单", "Faults"),
    "sheet.rule_totals": ("按规则汇总", "Totals by rule"),
    "sheet.violation": ("违规", "Violations"),
    "sheet.suspect": ("可疑", "Suspected"),
    "sheet.rules": ("规则统计", "Rules"),
    "sheet.rule_months": ("历月统计", "Months"),
    "sheet.not_run": ("未运行规则", "Rules not run"),
    "sheet.chart": ("扣款排名", "Ranking"),
    "sheet.proof": ("证明", "Proof"),
    "sheet.stages": ("流程", "Stages"),
    "sheet.checks": ("校验", "Checks"),
    "sheet.parameters": ("参数", "Parameters"),
    "sheet.inputs": ("申报包", "Submissions"),
    "sheet.digests": ("规则版本", "Rule versions"),
    "sheet.voucher": ("凭证摘要", "Voucher"),
    "sheet.bookings": ("逐笔", "Entries"),
    "sheet.batches": ("批次", "Batches"),
    "sheet.forecast": ("预测", "Forecast"),
    "sheet.months": ("汇总", "Months"),
    # the statement's parts
    "part.funds": ("一、各基金结算(由申报到实拨)", "1. By fund, from claimed to paid"),
    "part.reasons": ("二、不予支付的原因", "2. Why money was refused"),
    "part.clearing": ("三、按险种和清算类别", "3. By insurance and clearing type"),
    "part.books": ("四、保证金、周转金与结转台账", "4. Deposit, advance and carry ledgers"),
    # who signs
    "sign.settle": ("结算岗:", "Settled by:"),
    "sign.review": ("复审岗:", "Reviewed by:"),
    "sign.approve": ("负责人核准:", "Approved by:"),
    "sign.institution": ("机构确认(盖章):", "Institution (seal):"),
    "sign.date": ("日期:", "Date:"),
    # messages
    "msg.total": ("合计", "Total"),
    "msg.subtotal": ("小计", "Subtotal"),
    "msg.yes": ("是", "yes"),
    "msg.no": ("否", "no"),
    "msg.passed": ("通过", "passed"),
    "msg.failed": ("未通过", "FAILED"),
    "msg.assumed": ("推定", "ASSUMED"),
    "msg.page": ("第 &P 页 共 &N 页", "Page &P of &N"),
    "msg.month": ("{year}年{month:02d}月", "{year}-{month:02d}"),
    "msg.unit": ("单位:元", "amounts in yuan"),
    "msg.none": ("无", "none"),
    "msg.words": ("本期实拨合计(大写)", "Total paid, in words"),
    "msg.others": ("其余 {count} 条规则", "{count} other rules"),
    "msg.no_deduction": ("本月没有扣款", "nothing was deducted this month"),
    "msg.what_happened": (
        "本月申报 {claimed} 元,不予支付 {refused} 元,本期实拨 {paid} 元,最迟 {day} 到账。",
        "Claimed {claimed} yuan, refused {refused}, paid {paid}, by {day} at the latest.",
    ),
    "msg.see_findings": (
        "逐条原因见“03_审核扣款明细表.xlsx”。",
        "Every single reason is in 03_审核扣款明细表.xlsx.",
    ),
    "msg.more_faults": (
        "{reason}:此处列出 1,000 条,另有 {more} 条未列;完整清单见 退回清单.csv",
        "{reason}: 1,000 rows shown here, {more} more; the complete list is in 退回清单.csv",
    ),
    "msg.more_findings": (
        "{rule}:本工作簿最多列 1,000 条,另有 {more} 条未列;完整清单见 审核扣款明细.csv",
        "{rule}: at most 1,000 rows here, {more} more; the complete list is in 审核扣款明细.csv",
    ),
    "msg.to": ("致:{name}({code})", "To: {name} ({code})"),
    "msg.accepted": (
        "贵单位 {month} 的费用结算申报(申报包 {submission},{received} 收到)已受理。"
        "应于 {deadline} 前完成拨付。",
        "Your claim for {month} (submission {submission}, received on {received}) is accepted. "
        "It is to be paid by {deadline}.",
    ),
    "msg.accepted_part": (
        "其中 {count} 笔结算有差错,已退回:全部差错一次列明于下,改正后可在以后月份补报。",
        "{count} settlements have faults and are returned. Every fault is listed below, once; "
        "mend them and declare them in a later month.",
    ),
    "msg.accepted_whole": ("全部结算均已受理,没有差错。", "Every settlement is accepted; no faults."),
    "msg.refused": (
        "贵单位 {month} 的费用结算申报(申报包 {submission},{received} 收到)不予受理。"
        "全部原因一次列明于下;改正后请重新申报,办理时限自重新申报之日起计。",
        "Your claim for {month} (submission {submission}, received on {received}) is refused. "
        "Every reason is listed below, once. Mend them and submit again; "
        "the time limit then runs from the new submission.",
    ),
    "msg.counts": ("申报与受理", "Declared and accepted"),
    "msg.reasons": ("原因与处理办法", "Reasons and what to do"),
    "msg.ignored": ("未声明、已忽略的列:", "Columns not declared and ignored: "),
    "msg.notes": ("说明:", "Notes: "),
    "msg.fault_list": (
        "逐条差错见工作表“差错清单”;完整数据见 退回清单.csv。",
        "Every fault is on the sheet Faults; the complete data is in 退回清单.csv.",
    ),
    "msg.first_row": (
        "申报人次、医疗费总额列在每家机构的第一行",
        "settlements and total charges stand on each institution's first row",
    ),
    "msg.rate": (
        "维持率 = 复审维持 ÷ 至多可扣金额(违规为初审扣款,可疑为涉及基金金额)",
        "upheld rate = upheld / most that could be deducted (preliminary; suspicions: at risk)",
    ),
    "msg.chart_institutions": ("申报与实拨(前 20 家机构)", "Claimed and paid (top 20 institutions)"),
    "msg.chart_rules": ("各规则扣款(前 15 条)", "Deductions by rule (top 15)"),
    "msg.approve_line": (
        "制表:            复核:            核准人:            核准日期:",
        "Prepared:            Checked:            Approved by:            Date:",
    ),
    "msg.all_ran": ("全部规则均已运行", "every rule ran"),
    "msg.late": ("(超期)", " (late)"),
    "msg.comma": (";", "; "),
    "msg.why": ("不予支付的主要原因:", "Refused mainly for: "),
    "msg.reason": ("{rule} {name} {count} 条 {amount} 元", "{rule} {name} ({count}) {amount} yuan"),
    "msg.words_held": ("应拨合计(大写,暂停未拨)", "Total due (on hold), in words"),
    "msg.was_paid": (
        "本月申报 {claimed} 元,不予支付 {refused} 元,本期实拨 {paid} 元,已于 {day} 到账。",
        "Claimed {claimed} yuan, refused {refused}, paid {paid} on {day}.",
    ),
    "msg.nothing_paid": (
        "本月申报 {claimed} 元,不予支付 {refused} 元,扣除预留与抵扣后本期无应拨款。",
        "Claimed {claimed} yuan, refused {refused}; after amounts held and offset nothing is payable.",
    ),
    "msg.held": (
        "本月申报 {claimed} 元,不予支付 {refused} 元,应拨 {paid} 元,因暂停结算尚未拨付。",
        "Claimed {claimed} yuan, refused {refused}; {paid} is due but not paid: settlement is on hold.",
    ),
    "msg.carried": (
        "另有 {carry} 元结转下期,在同一基金抵扣。",
        " {carry} is carried to next month, same fund.",
    ),
    "msg.appeal": (
        "审核结果:初审扣款 {prelim} 元,申诉撤销 {withdrawn} 元,可疑确认 {confirmed} 元,复审扣款 {final} 元",
        "Audit: preliminary {prelim}, withdrawn on appeal {withdrawn}, suspected upheld {confirmed}, "
        "final {final} yuan",
    ),
    "msg.institutions": ("机构数:共 {count} 家 = {parts}", "Institutions: {count} = {parts}"),
    "msg.summary_steps": (
        "初审扣款 − 申诉撤销 + 复审增记 = 复审扣款;支付方式核定额 − 暂缓额 − 保证金 − 抵扣 + 往期调整"
        " − 往期追回 + 结转下期 = 本期实拨 + 应拨未拨",
        "preliminary - withdrawn + added = final; amount by payment method - deferred - deposit - offsets "
        "+ prior - clawed back + carried = paid + on hold",
    ),
    "msg.balanced": ("借贷平衡:借方 {debit} = 贷方 {credit}", "Balanced: debit {debit} = credit {credit}"),
    "msg.no_penalty": (
        "违约金另行记账,不在本凭证内。付款账户以银行回单为准,未付部分列“待拨付”。",
        "Penalties are booked apart and are not in here. Paying accounts are those of the bank's returns; "
        "what is not paid yet stands under amounts to be paid.",
    ),
    "msg.rolls": ("期末余额 = 期初余额 + 本期增加 − 本期减少", "closing = opening + plus - minus"),
}
