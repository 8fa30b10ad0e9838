"""Working days, deadlines and the forecast."""

WORDS: dict[str, tuple[str, str]] = {
    # the calendar
    "cal.missing": (
        "工作日历没有 {year} 年的数据。请按国务院办公厅该年节假日安排通知编写 cn_{year}.csv(列:{columns}),"
        "再运行 settle calendar add cn_{year}.csv;未公布前不推算。",
        "No working-day data for {year}: write cn_{year}.csv from the State Council's notice and run "
        "settle calendar add cn_{year}.csv.",
    ),
    "cal.no_file": ("找不到工作日历文件 {file}。", "No such calendar file."),
    "cal.refused": (
        "工作日历 {file} 未采用,全部问题如下:",
        "The calendar was not taken; everything wrong with it:",
    ),
    "cal.loaded": (
        "{years} 年的工作日历已载入,{file} 与之不同({count} 天:{days})。确认以新文件为准时加 --replace。",
        "These years are loaded and say something else; add --replace if the new file is right.",
    ),
    "cal.row": ("第 {row} 行:{fault}", "(row {row})"),
    "cal.cells": ("有 {count} 个单元格,应为 {wanted} 个", "wrong number of cells"),
    "cal.date": ("date 为“{value}”,应为 2027-01-01 这样的日期", "not a date"),
    "cal.flag": ("is_workday 为“{value}”,应为 0(休)或 1(班)", "the flag is 0 or 1"),
    "cal.empty": ("{column} 为空,请填写节日名称与通知文号", "must not be empty"),
    "cal.outside": (
        "{date} 不在文件所载的 {years} 年及其前后相邻的一个月内",
        "not in the file's years nor the month next to them",
    ),
    "cal.twice": ("{date} 重复,第 {first} 行已有", "the same day twice"),
    "cal.no_law": (
        "{year} 年适用的法定节假日不在 calendars/statutory.csv 中,无法核对",
        "statutory days of that year are not known",
    ),
    "cal.unnamed": ("{year} 年没有名称含“{name}”的行", "a statutory festival is missing"),
    "cal.statutory": ("{date}({name})是法定节假日,文件却算作工作日", "a statutory day off counts as work"),
    "cal.too_few": (
        "{year} 年工作日放假 {off} 天,减调休上班 {up} 天得 {net} 天,少于法定 {needed} 天",
        "fewer days off than the statutory ones",
    ),
    "cal.total": (
        "{year} 年共 {total} 个工作日,应在 {low} 至 {high} 之间",
        "the number of working days is not plausible",
    ),
    "cal.overlap": ("{years} 年已在 {file} 中,请用该文件名", "that year is in another file of the home"),
    "cal.idle": (
        "第 {row} 行:{date} 填 {flag} 与周一至周五的常规一致,不起作用,请核对日期",
        "changes nothing; check the date",
    ),
    "cal.neighbour": (
        "第 {row} 行:{date} 属相邻年度,该日前后的时限随之变动",
        "a day of the neighbouring year: due dates around it move",
    ),
    # deadlines
    "due.name": ("机构名称", "institution"),
    "due.code": ("机构编码", "institution code"),
    "due.month": ("结算年月", "claim month"),
    "due.state": ("状态", "state"),
    "due.held": ("暂停({})", "on hold ({})"),
    "due.bank_failed": ("(转账失败)", " (transfer failed)"),
    "due.bank_waiting": ("(待银行回单)", " (bank has not answered)"),
    "due.colour": ("预警", "light"),
    "due.red": ("红", "red"),
    "due.yellow": ("黄", "yellow"),
    "due.green": ("绿", "green"),
    "due.paused": ("暂停", "paused"),
    "due.unknown": ("未知", "unknown"),
    "due.done": ("完成", "done"),
    "due.days_left": ("剩余工作日", "days left"),
    "due.days_used": ("已用工作日", "days used"),
    "due.limit_on": ("拨付时限日", "to be paid by"),
    "due.limit_legal": ("时限(顺延)", "limit, next working day"),
    "due.limit_cautious": ("时限(提前)", "limit, working day before"),
    "due.role": ("当前责任人", "who acts"),
    "due.deed": ("待办", "to do"),
    "due.act_by": ("最迟办理日", "do it by"),
    "due.behind": ("环节逾期", "stage late"),
    "due.declared_on": ("申报", "declared"),
    "due.accepted_on": ("受理", "accepted"),
    "due.prelim_on": ("初审", "audited"),
    "due.feedback_on": ("发送初审结果", "findings sent"),
    "due.answer_by": ("反馈截止", "answer by"),
    "due.review_on": ("进入复审", "review begun"),
    "due.settled_on": ("结算", "settled"),
    "due.approved_on": ("核准", "approved"),
    "due.finished_on": ("拨付(结转、退回)", "paid (carried, refused)"),
    "due.closed_on": ("办结", "closed"),
    "due.stopped": ("暂停工作日", "days on hold"),
    "due.on_time": ("按期", "on time"),
    "due.fault": ("说明", "remark"),
    "due.need": ("尚需工作日", "days needed"),
    "due.expected_on": ("预计拨付日", "expected on"),
    "due.why": ("原因", "why"),
    "due.batches": ("批次数", "batches"),
    "due.next_limit": ("最近时限", "next limit"),
    "due.least_left": ("最少剩余", "least days left"),
    "due.paid_in_time": ("按期完成", "in time"),
    "due.paid_late": ("超期完成", "late"),
    "due.behind_cnt": ("环节逾期", "stage late"),
    "due.oldest_role": ("等待最久", "waits longest"),
    "due.oldest_deed": ("待办", "to do"),
    "due.oldest_since": ("自", "since"),
    "due.made": ("截至 {today}", "as of {today}"),
    "due.others": (
        "其余 {count} 个在办批次按目前进度可按期完成",
        "{count} other open batches will be in time at the present pace",
    ),
    "due.note_left": (
        "剩余工作日:今日之后至拨付时限日(含)的工作日;申报当日不计。已完成的为完成日至时限日。",
        "Days left: working days after today up to and with the limit; the day of declaration is not one.",
    ),
    "due.note_targets": (
        "最迟办理日:由时限日倒推,为其后各环节留足计划工作日;反馈期内为反馈截止日。",
        "Do it by: counted back from the limit, leaving the planned days to every later stage.",
    ),
    "due.note_hold": (
        "暂停期间时限停止计算:自暂停当日至恢复前一日的工作日顺延;暂停中只列剩余工作日,不列时限日。",
        "On hold the clock stands still: the limit moves by the working days from the hold to the day before "
        "it is resumed.",
    ),
    "due.note_bank": (
        "已拨付:银行回单前以拨付指令日为完成日,全部成功后以最后一笔到账日为准;"
        "有转账失败,或超过规定工作日无银行回单的,按未拨付计时。",
        "Paid: until the bank answers, the day of the order counts, then that of the last transfer; when one "
        "failed, or the bank stays silent too long, the clock runs on as if nothing had been paid.",
    ),
    "due.note_pace": (
        "进度:本统筹区近三个月离开各环节的批次所用工作日的中位数(不足 3 个时用计划天数);"
        "反馈期内计至反馈截止日。",
        "Pace: median working days of batches of the region that left a stage in the last three months "
        "(the plan if fewer than 3).",
    ),
    "due.why_pace": (
        "最长环节“{slowest}”:近三个月中位 {slowest_pace} 个工作日,计划 {slowest_plan} 个。",
        " Longest stage ahead, {slowest}: median {slowest_pace} working days, plan {slowest_plan}.",
    ),
    "due.why_plan": (
        "最长环节“{slowest}”:计划 {slowest_plan} 个工作日。",
        " Longest stage ahead, {slowest}: plan {slowest_plan} working days.",
    ),
    "due.why_paused_late": (
        "暂停中;即使今日恢复,尚需 {need} 个工作日,时限剩余 {days_left} 个。",
        "On hold; even if resumed today it needs {need} working days and has {days_left}.",
    ),
    "due.why_paused": (
        "暂停中;恢复后尚需 {need} 个工作日,时限剩余 {days_left} 个。",
        "On hold; once resumed it needs {need} working days and has {days_left}.",
    ),
    "due.why_overdue": (
        "已过时限 {over} 个工作日;按目前进度尚需 {need} 个工作日。",
        "Overdue by {over} working days; it needs {need} more at the present pace.",
    ),
    "due.why_late": (
        "按目前进度尚需 {need} 个工作日,时限剩余 {days_left} 个。",
        "It needs {need} working days at the present pace and has {days_left}.",
    ),
    "due.why_in_time": (
        "预计 {expected_on} 完成,距时限余 {spare} 个工作日。",
        "Expected on {expected_on}, {spare} working days before the limit.",
    ),
}
