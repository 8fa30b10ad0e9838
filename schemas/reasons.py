"""Why something is not accepted: one code, its words in two languages, and what to do.

Codes starting with S refuse a whole submission (不予受理); codes starting with R return one
settlement with its lines (退回). `message` may hold {placeholders} that the check fills in.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One reason code.

    Attributes:
        code: S.. for a submission, R.. for a settlement.
        zh: what is wrong, in Chinese.
        en: the same in English.
        action: what the institution should do.
        action_en: the same in English.
    """

    code: str
    zh: str
    en: str
    action: str
    action_en: str


_ROWS = (
    (
        "S01",
        "申报包无法读取:{detail}",
        "submission cannot be read: {detail}",
        "请重新导出并压缩后再报",
        "export and pack it again",
    ),
    (
        "S02",
        "压缩包不安全:{detail}",
        "unsafe archive: {detail}",
        "请只打包本月申报表,不含路径与嵌套压缩",
        "pack only this month's tables",
    ),
    (
        "S03",
        "申报包名称不合规:应为 机构编码_年月[_次数],收到 {detail}",
        "bad name: {detail}",
        "请按 H37068400001_202604 的样式命名",
        "name it like H37068400001_202604",
    ),
    (
        "S04",
        "结算年月不符:应为 {expected},申报为 {detail}",
        "wrong month: {detail}, not {expected}",
        "请核对月份后重报",
        "check the month and submit again",
    ),
    (
        "S05",
        "机构编码不符:应为 {expected},文件中为 {detail}",
        "wrong institution: {detail}, not {expected}",
        "请只申报本机构数据",
        "submit your own institution's data only",
    ),
    (
        "S06",
        "机构不在本统筹区定点名录",
        "institution is not on the region's list",
        "请联系经办机构核实定点资格",
        "ask the agency about your designation",
    ),
    (
        "S07",
        "结算月内没有有效服务协议",
        "no agreement in force in the month",
        "请联系经办机构核实协议",
        "ask the agency about your agreement",
    ),
    (
        "S08",
        "本统筹区事项清单未列定点零售药店费用结算,不予受理药店申报",
        "the region's list has no pharmacy item",
        "请向参保地经办机构咨询",
        "ask the agency",
    ),
    (
        "S09",
        "缺少表:{detail}",
        "table missing: {detail}",
        "请补齐后重报",
        "add it and submit again",
    ),
    (
        "S10",
        "{table} 缺少必填列:{detail}",
        "{table} lacks columns: {detail}",
        "请按接口规范补齐列后重报",
        "add the columns and submit again",
    ),
    (
        "S11",
        "文件编码无法识别:{detail}",
        "unknown or mixed encoding: {detail}",
        "请整份文件统一用 UTF-8 或 GB18030 保存",
        "save the whole file as UTF-8 or GB18030",
    ),
    (
        "S12",
        "文件含空字节或不是文本:{detail}",
        "NUL byte or not a text file: {detail}",
        "请重新导出为文本文件",
        "export it again as text",
    ),
    (
        "S13",
        "单行过长:{detail}",
        "line too long: {detail}",
        "请检查引号与换行后重报",
        "check quotes and line breaks",
    ),
    (
        "S14",
        "表中没有数据:{detail}",
        "no rows: {detail}",
        "请核对导出条件后重报",
        "check the export and submit again",
    ),
    (
        "S15",
        "月结算汇总与明细不符:{detail}",
        "totals differ from the settlements: {detail}",
        "请核对汇总表与结算明细后重报",
        "reconcile both tables and submit again",
    ),
    (
        "S16",
        "差错结算占比 {detail} 超过上限 {expected}",
        "share of faulty settlements {detail} > {expected}",
        "请按退回清单整改全部差错后重报",
        "mend every fault in the list and submit again",
    ),
    (
        "S17",
        "该月已受理,不得更换申报",
        "the month is already accepted",
        "如需更正请在下月作冲销或联系经办机构",
        "reverse it next month or ask the agency",
    ),
    (
        "S18",
        "表头无法识别:{detail}",
        "header not recognised: {detail}",
        "请用逗号或制表符分隔,并以规定字段名作表头",
        "use commas or tabs and the listed field names",
    ),
    (
        "S19",
        "列重复:{detail}",
        "column given twice: {detail}",
        "请删除重复列后重报",
        "remove the duplicate column",
    ),
    (
        "S20",
        "文件结构无法解析:{detail}",
        "file structure broken: {detail}",
        "请检查未闭合的引号后重报",
        "look for an unclosed quote",
    ),
    ("R01", "必填项为空", "required value missing", "请补填", "fill it in"),
    ("R02", "超过规定长度 {expected}", "longer than {expected}", "请按规定长度填写", "shorten it"),
    (
        "R03",
        "数字格式不符:{detail}",
        "not a plain number: {detail}",
        "请只用半角数字与小数点,不含逗号、空格、科学计数",
        "digits and one decimal point only",
    ),
    (
        "R04",
        "日期无效:{detail}",
        "not a date: {detail}",
        "请按 2026-04-30 或 2026-04-30 08:30:00 填写真实日期",
        "write a real date as 2026-04-30",
    ),
    (
        "R05",
        "代码不在当日有效的代码表 {expected} 中",
        "code not in force in list {expected}",
        "请改用有效代码",
        "use a code in force",
    ),
    ("R06", "主键重复", "duplicate key", "请核对并只保留一条", "keep one row only"),
    (
        "R07",
        "明细没有对应的结算",
        "line without its settlement",
        "请补报结算或删除该明细",
        "add the settlement or drop the line",
    ),
    ("R08", "结算没有费用明细", "settlement without lines", "请补报费用明细", "add its lines"),
    (
        "R09",
        "行内字段数多于表头",
        "more fields than the header",
        "请检查分隔符与引号",
        "check delimiters and quotes",
    ),
    (
        "R10",
        "医疗费总额 {detail} ≠ 基金支付 + 个人支付 + 医院负担 {expected}",
        "total {detail} is not fund + person + hospital {expected}",
        "请核对结算金额",
        "check the amounts",
    ),
    (
        "R11",
        "基金支付总额 {detail} ≠ 各基金之和 {expected}",
        "fund total {detail} is not {expected}",
        "请核对各基金支出",
        "check the funds",
    ),
    (
        "R12",
        "个人支付 {detail} ≠ 个人账户 + 现金 {expected}",
        "person's part {detail} is not {expected}",
        "请核对个人支付",
        "check the person's part",
    ),
    (
        "R13",
        "账户共济支付 {detail} 大于个人账户支出 {expected}",
        "relative's account {detail} above account {expected}",
        "请核对账户支出",
        "check the account",
    ),
    (
        "R14",
        "医疗费总额 {detail} ≠ 全自费 + 超限价 + 先行自付 + 符合范围 {expected}",
        "total {detail} is not the sum of its four parts {expected}",
        "请核对四项分解",
        "check the four parts",
    ),
    (
        "R15",
        "结算 {column_zh} {detail} ≠ 明细合计 {expected}",
        "header {detail} is not the lines' {expected}",
        "请核对明细分解",
        "check the lines",
    ),
    (
        "R16",
        "医疗费总额 {detail} ≠ 明细金额合计 {expected}",
        "total {detail} is not the lines' {expected}",
        "请核对明细金额",
        "check the lines",
    ),
    (
        "R17",
        "基金支付总额 {detail} 大于符合范围金额 {expected}",
        "fund {detail} above in-scope {expected}",
        "请核对基金支付",
        "check the fund payment",
    ),
    (
        "R18",
        "金额为负但未作冲销(退费标志与原结算ID)",
        "negative amount without reversal",
        "请按冲销结算申报:退费标志 1 并填原结算ID",
        "declare it as a reversal",
    ),
    (
        "R19",
        "退费明细找不到原明细",
        "refund line without its original line",
        "请填写原费用流水号",
        "name the refunded line",
    ),
    (
        "R20",
        "退费数量大于原明细数量",
        "more refunded than charged",
        "请核对退费数量",
        "check the refunded quantity",
    ),
    (
        "R21",
        "数量为 0 而金额不为 0",
        "amount without quantity",
        "请核对数量与金额",
        "check quantity and amount",
    ),
    (
        "R22",
        "该记录没有对应的结算",
        "row without its settlement",
        "请补报结算或删除该记录",
        "add the settlement or drop the row",
    ),
)

REASONS: dict[str, Reason] = {row[0]: Reason(*row) for row in _ROWS}
