"""Why an answer is not taken: one code, its words in two languages, and what to do."""

from __future__ import annotations

from schemas.reasons import Reason

UNREADABLE, UNKNOWN_BOOK, OTHER_BOOK, UNKNOWN_FINDING, OTHERS_FINDING = "F01", "F02", "F03", "F04", "F05"
ALTERED, TWICE, BAD_ANSWER, BAD_AMOUNT, ABOVE_LIMIT = "F06", "F07", "F08", "F09", "F10"
UNFITTING, NO_REASON, NOT_WAITING, LATE, MERGED = "F11", "F12", "F13", "F14", "F15"

# {value} is what stands in the cell, {was} what should, {column} the header, {detail} what happened.
_ROWS = (
    (
        UNREADABLE,
        "文件无法读取:{detail}",
        "the file cannot be read: {detail}",
        "请在经办机构发出的反馈单上填写,另存为不含宏、不加密的 xlsx 后重新发回",
        "fill in the workbook that was sent to you and save it as plain xlsx",
    ),
    (
        UNKNOWN_BOOK,
        "校验码 {value} 不属于任何发出的反馈单,整份未登记(填写 {detail} 条)",
        "check code {value} belongs to no workbook that was sent; none of its {detail} answers is taken",
        "请改在原反馈单上填写;CSV 须保留机构编码、通知号、校验码三列",
        "use the workbook that was sent; a CSV file keeps its institution, notice and check code columns",
    ),
    (
        OTHER_BOOK,
        "反馈单属于机构 {value}、通知 {was},不是现在待反馈的一份,整份未登记(填写 {detail} 条)",
        "this workbook is of institution {value}, notice {was}, not one waiting for your answer; "
        "none of its {detail} answers is taken",
        "请核对机构与月份,发回本机构最近一次收到的反馈单",
        "check institution and month and send back the workbook you received last",
    ),
    (
        UNKNOWN_FINDING,
        "没有疑点号 {value}",
        "no such finding: {value}",
        "请勿改动疑点号;请在原反馈单的该行重新填写",
        "do not change finding ids; answer in the row of the workbook that was sent",
    ),
    (
        OTHERS_FINDING,
        "疑点 {value} 不是本机构的",
        "finding {value} is another institution's",
        "请只反馈本机构的疑点",
        "answer your own findings only",
    ),
    (
        ALTERED,
        "锁定单元格“{column}”被改动:原为 {was},现为 {value};该行未登记",
        "locked cell {column} was altered from {was} to {value}; the row is not taken",
        "请把该单元格改回原值后重新发回;有异议请写在申诉理由中",
        "put the cell back; objections belong in the reason",
    ),
    (
        TWICE,
        "疑点 {value} 填写了不止一次,无法确定以哪一次为准({detail})",
        "finding {value} is answered more than once ({detail})",
        "请每个疑点只填写一次",
        "answer each finding once",
    ),
    (
        BAD_ANSWER,
        "机构意见“{value}”不是 认可、部分认可、不认可 之一",
        "answer {value} is none of 认可 (agreed), 部分认可 (partly agreed), 不认可 (disputed)",
        "请从下拉框选择",
        "choose from the list",
    ),
    (
        BAD_AMOUNT,
        "认可金额“{value}”不是最多两位小数的数字",
        "{value} is no number with at most two decimals",
        "请填写如 128.50 的数字",
        "write a number such as 128.50",
    ),
    (
        ABOVE_LIMIT,
        "认可金额 {value} 大于涉及金额 {was}",
        "amount agreed {value} is above the amount concerned {was}",
        "请填写不大于涉及金额的数字",
        "give an amount not above the amount concerned",
    ),
    (
        UNFITTING,
        "认可金额“{value}”与机构意见“{detail}”不符(涉及金额 {was})",
        "amount agreed {value} does not go with the answer {detail} (amount concerned {was})",
        "认可:不填或等于涉及金额;部分认可:大于 0 且小于涉及金额;不认可:不填或 0",
        "agreed: empty or the whole amount; partly agreed: above 0 and below it; disputed: empty or 0",
    ),
    (
        NO_REASON,
        "意见为“{detail}”而没有申诉理由",
        "answer {detail} without a reason",
        "请写明申诉理由",
        "give the reason",
    ),
    (
        NOT_WAITING,
        "该批次不在待反馈状态({detail}),不再接受反馈",
        "the batch is not waiting for answers ({detail})",
        "如确有异议请联系经办机构",
        "ask the agency",
    ),
    (
        LATE,
        "已过反馈截止日 {was}",
        "after the last day for answers, {was}",
        "逾期视为认可;如有特殊情况请联系经办机构",
        "silence counts as agreed; ask the agency in special cases",
    ),
    (
        MERGED,
        "单元格被合并,合并区域内各行未登记",
        "merged cells; the rows they cover are not taken",
        "请取消合并,逐行填写",
        "unmerge and fill in every row",
    ),
)

REASONS: dict[str, Reason] = {row[0]: Reason(*row) for row in _ROWS}
