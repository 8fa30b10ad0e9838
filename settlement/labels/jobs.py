"""Scheduled jobs, messages to institutions and the nightly checks."""

WORDS: dict[str, tuple[str, str]] = {
    # scheduled jobs
    "job.intake": ("收取申报包", "take in submissions"),
    "job.reply": ("收取机构反馈", "take in replies"),
    "job.receipt": ("收取银行回单", "take in bank returns"),
    "job.audit": ("初审", "audit"),
    "job.notify": ("发送初审结果", "send findings"),
    "job.close_feedback": ("关闭反馈", "close feedback"),
    "job.remind": ("催办反馈", "remind of the reply"),
    "job.calculate": ("结算", "settle"),
    "job.close": ("办结", "close"),
    "job.deadline_watch": ("时限监测", "deadline watch"),
    "job.deliver": ("发送消息", "send a message"),
    "job.verify": ("夜间校验", "nightly check"),
    "job.backup": ("夜间备份", "nightly backup"),
    "job.WAITING": ("待办", "waiting"),
    "job.RUNNING": ("办理中", "running"),
    "job.DONE": ("完成", "done"),
    "job.FAILED": ("失败", "failed"),
    "job.killed": (
        "办理进程多次中途终止,不再自动重试。请查明原因后运行 settle schedule --once --retry。",
        "its process ended in the middle each time; find out why, then run settle schedule --once --retry.",
    ),
    "job.still_due": (
        "已运行,但事项仍然待办,稍后重试。",
        "it ran, but the work is still to be done; it is tried again.",
    ),
    "job.lost": (
        "办理时间超过租期,已由另一进程接手。",
        "it took longer than its lease and another process has taken over.",
    ),
    "job.program": (
        "程序错误 {kind}({place})。请将日志交给维护人员。",
        "program error {kind} ({place}); pass the journal on to whoever maintains the program.",
    ),
    # messages to institutions
    "mail.notice.subject": ("{month}医保费用初审结果,请在期限内反馈", "First audit of {month}: please reply"),
    "mail.notice.body": (
        "机构 {code}:\n{month}医保费用初审已完成,结果见所附初审反馈单。"
        "请在反馈单写明的期限内填写机构意见后发回;逾期未反馈视为认可。\n本邮件由结算系统发出,附件中的个人信息已作遮盖。",
        "Institution {code}:\nthe first audit of {month} is done; see the workbook attached. Please fill in "
        "your answers and send it back by the day it names; silence counts as agreement.\n"
        "Personal data is masked.",
    ),
    "mail.reminder.subject": ("提醒:{month}初审反馈即将到期", "Reminder: replies for {month} are due soon"),
    "mail.reminder.body": (
        "机构 {code}:\n{month}初审反馈单尚有疑点未答复,反馈期即将结束;逾期未反馈视为认可。",
        "Institution {code}:\nsome findings of {month} are not answered yet and the window is about to "
        "close; silence counts as agreement.",
    ),
    "mail.statement.subject": ("{month}医保费用月结算单", "Settlement statement of {month}"),
    "mail.statement.body": (
        "机构 {code}:\n{month}医保费用已结算,月结算单、审核扣款明细表与复审意见表见附件。",
        "Institution {code}:\n{month} is settled; the statement, the deductions and the review are attached.",
    ),
    "mail.note.folder": ("未设邮件服务器,只放入发件箱目录", "no mail server is set; only in the folder"),
    "mail.note.no_address": (
        "contact.csv 没有该机构有效的邮箱,只放入发件箱目录",
        "contact.csv has no valid address of the institution; only put into the folder",
    ),
    "mail.READY": ("待发", "ready"),
    "mail.SENT": ("已发", "sent"),
    "mail.FAILED": ("失败", "failed"),
    "mail.NO_ADDRESS": ("无地址", "no address"),
    # nightly checks
    "verify.fine": ("校验通过,没有发现问题。", "Everything was checked; nothing is wrong."),
    "verify.found": ("校验发现 {count} 处问题:", "{count} faults found:"),
    "verify.missing": ("{what}:文件 {path} 缺失", "{what}: file {path} is missing"),
    "verify.changed": (
        "{what}:文件 {path} 已被改动,与登记的摘要不符",
        "{what}: file {path} was changed; its digest is not the recorded one",
    ),
    "verify.misnamed": (
        "文件 {path} 的内容与其名称中的摘要不符",
        "the content of {path} does not have the digest that is its name",
    ),
    "verify.published": (
        "{region} {month} 公布的 {file} 与登记不符或缺失,可用 settle verify --republish 恢复",
        "{region} {month}: {file} as published is missing or not the recorded one; "
        "settle verify --republish puts it back",
    ),
    "verify.stray": (
        "{region} {month} 的 data 目录多出 {file},登记中没有",
        "{region} {month}: {file} in the data folder is not on record",
    ),
    "verify.guard": ("数据库触发器 {name} 缺失、停用或被改动", "trigger {name} is missing, off or altered"),
    "verify.log": ("日志:{fault}", "log: {fault}"),
    "verify.commit": ("登记:{fault}", "record: {fault}"),
    "verify.log_cut": (
        "备份 {backup} 时日志第 {seq} 条的摘要与现在不同,日志曾被改写或截短",
        "entry {seq} of the log is not what it was when backup {backup} was made: rewritten or cut",
    ),
    "verify.ledger": ("台账 {region}:{fault}", "ledger {region}: {fault}"),
    "verify.identity": (
        "结算单 {batch} 基金 {fund}:各项不满足恒等式",
        "statement {batch} fund {fund}: the amounts do not add up",
    ),
    "verify.totals": (
        "结算单 {batch}:应付 {payable} 元、结转 {carry} 元,与各基金合计 {paid} 元、{carried} 元不符",
        "statement {batch}: payable {payable}, carried {carry}; its funds add up to {paid} and {carried}",
    ),
    "verify.payment": (
        "{region} {month}:结算单各基金与运行结果 payment 不符",
        "{region} {month}: the lines of the statements differ from the run's payment table",
    ),
    "verify.bank": (
        "银行文件 {name}:文件 {file_count} 笔 {file_sum} 元,登记 {count} 笔 {sum} 元,"
        "指令 {orders} 笔 {order_sum} 元",
        "bank file {name}: {file_count} orders of {file_sum} in the file, {count} of {sum} on record, "
        "{orders} orders of {order_sum}",
    ),
    "verify.bank_copy": (
        "{region} {month} 目录中的银行文件 {name} 与登记不符,请勿提交银行",
        "{region} {month}: the bank file {name} in the folder is not the recorded one; do not submit it",
    ),
    "verify.unreadable": ("{what}:无法读取({kind})", "{what}: cannot be read ({kind})"),
}
