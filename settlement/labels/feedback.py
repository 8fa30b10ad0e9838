"""The workbook an institution answers in."""

WORDS: dict[str, tuple[str, str]] = {
    "reply.doc": ("初审结果反馈单", "Findings to be answered"),
    "reply.sheet": ("说明", "Read me"),
    "reply.finding_id": ("疑点号", "finding id"),
    "reply.setl_id": ("结算ID", "settlement id"),
    "reply.bkkp_sn": ("明细ID", "line id"),
    "reply.person": ("人员", "person"),
    "reply.med_type": ("就诊类型", "kind of visit"),
    "reply.visit": ("就诊日期", "visit"),
    "reply.fee_time": ("费用时间", "charged at"),
    "reply.bilg_dept_codg": ("科室", "department"),
    "reply.bilg_dr_code": ("医师", "doctor"),
    "reply.hilist_code": ("项目编码", "item code"),
    "reply.hilist_name": ("项目名称", "item"),
    "reply.cnt": ("数量", "quantity"),
    "reply.pric": ("单价", "unit price"),
    "reply.det_item_fee_sumamt": ("金额", "charged"),
    "reply.rule_id": ("规则编码", "rule"),
    "reply.rule_name": ("规则名称", "rule name"),
    "reply.national_ref": ("国家规则码", "national rule code"),
    "reply.vola_cont": ("命中说明", "what was found"),
    "reply.related": ("关联记录", "related rows"),
    "reply.basis": ("法规依据", "legal basis"),
    "reply.limit_amt": ("涉及金额", "amount concerned"),
    "reply.answer": ("机构意见", "answer"),
    "reply.agreed_amt": ("认可金额", "amount agreed"),
    "reply.reason": ("申诉理由", "why"),
    "reply.attachments": ("佐证材料", "evidence sent"),
    "reply.grade": ("等级", "grade"),
    "reply.fixmedins_code": ("机构编码", "institution code"),
    "reply.notice_no": ("通知号", "notice no."),
    "reply.digest": ("校验码", "check code"),
    "reply.filled_by": ("填报人", "filled in by"),
    "reply.filled_on": ("填报日期", "filled in on"),
    "reply.month": ("结算年月", "claim month"),
    "reply.sent_on": ("发出日期", "sent on"),
    "reply.answer_by": ("反馈截止日", "answer by"),
    "reply.deadline_on": ("拨付时限日", "to be paid by"),
    "reply.contact": ("联系方式", "contact"),
    "reply.count": ("疑点数", "findings"),
    "reply.amount": ("涉及金额(元)", "yuan concerned"),
    "reply.filled": ("已填", "answered"),
    "reply.what_found": (
        "贵单位 {month} 费用结算初审已完成,发现疑点 {count} 条,涉及金额 {amount} 元,逐条列于后面的工作表。"
        "请于 {day}(含当日)前反馈,自发出次日起共 {days} 个工作日。",
        "The audit of your claim for {month} is done: {count} findings, {amount} yuan concerned, listed one "
        "by one on the next sheets. Please answer by {day} (that day included), {days} working days after "
        "sending.",
    ),
    "reply.nothing_found": (
        "贵单位 {month} 费用结算初审已完成,没有发现疑点,无需反馈。",
        "The audit of your claim for {month} is done. Nothing was found; there is nothing to answer.",
    ),
    "reply.totals": ("疑点合计", "Findings in all"),
    "reply.how": ("怎样反馈", "How to answer"),
    "reply.how_where": (
        "1. 只填写各工作表右侧黄色的四列:机构意见、认可金额、申诉理由、佐证材料。其余单元格已锁定,请勿改动、"
        "合并或移动;改动过的行不予登记。可用筛选分给各科室填写。",
        "1. Fill in only the four yellow columns on the right. The other cells are locked: do not change, "
        "merge or move them; an altered row is not taken. The filter may be used.",
    ),
    "reply.how_answer": (
        "2. 机构意见从下拉框选一项:“认可”即同意按涉及金额处理,认可金额可不填;“部分认可”须填认可金额,大于 0 "
        "且小于涉及金额,最多两位小数;“不认可”的认可金额不填或填 0。",
        "2. Choose an answer: agreed (the amount may stay empty); partly agreed (give the amount, above 0 "
        "and below the amount concerned, two decimals at most); disputed (leave the amount empty, or 0).",
    ),
    "reply.how_reason": (
        "3. “部分认可”和“不认可”须写申诉理由(橙色单元格表示还缺理由),并在佐证材料列出材料名称或编号,"
        "如病程记录、医嘱、检验报告。",
        "3. Partly agreed and disputed need a reason (an orange cell lacks one); name the evidence you send.",
    ),
    "reply.how_grades": (
        "4. “违规”已计入初审扣款;“可疑”尚未扣款,复审确认后才扣。两类都请反馈。",
        "4. Violations are deducted for now; suspected findings only if review confirms them. Answer both.",
    ),
    "reply.how_send": (
        "5. 在本页填写填报人和填报日期,保存后发回本文件(WPS、Excel、LibreOffice 均可,保持 xlsx 格式);"
        "也可改填 05_申诉表.csv。截止日前可以多次发回,没有填写的行以后再填。",
        "5. Fill in your name and the date on this page, save (as xlsx) and send this file back; or fill in "
        "05_申诉表.csv instead. You may send it more than once before the last day.",
    ),
    "reply.silence": (
        "6. 到 {day} 结束时仍没有反馈的疑点,视为认可。",
        "6. A finding that has no answer by the end of {day} counts as agreed.",
    ),
    "reply.fill_in": ("填报", "Filled in"),
    "reply.keep": (
        "通知号与校验码用于核对本表是发给贵单位的那一份,请勿改动。",
        "Notice number and check code show that this is the workbook sent to you; do not change them.",
    ),
    "reply.top": (
        "{count} 条,涉及金额 {amount} 元;请填写右侧黄色四列,{day} 前反馈",
        "{count} findings, {amount} yuan concerned; fill in the four yellow columns, answer by {day}",
    ),
    "reply.bad_answer": ("请从下拉框选择:{answers}", "Choose one of: {answers}"),
    "reply.bad_amount": (
        "认可金额应为 0 与涉及金额之间的数,最多两位小数",
        "A number from 0 to the amount concerned, two decimals at most",
    ),
}
