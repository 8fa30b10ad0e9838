"""The catalogue of bad and odd submissions: how each is sent, and what must become of it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

from tests.submissions import TABLES, Sent, with_diagnoses

SETL, LINE, SUM = "setl_d", "fee_list_d", "clr_sum"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000
RARE = "𠮷堃"


@dataclass(frozen=True)
class Case:
    """A submission and what becomes of it.

    Attributes:
        send: writes it into a folder.
        refused: one text for each reason of the whole submission: its code and a piece of its words.
        returned: (reason, table, row, column, value) of every fault of a settlement.
        accepted: settlements taken in, when it is not refused.
    """

    send: Callable[[Sent, Path], object]
    refused: tuple[str, ...] = ()
    returned: tuple[tuple[str, str, int, str, str], ...] = ()
    accepted: int = 10


def raw(name: str, content: bytes | None) -> Callable[[Sent, Path], object]:
    """Send a folder in which one file is something else."""

    def send(sent: Sent, folder: Path) -> object:
        sent.raw[name] = content
        return sent.folder(folder)

    return send


def text(tab: str, change: Callable[[str], str]) -> Callable[[Sent, Path], object]:
    """Send a folder in which the text of one table is changed."""

    def send(sent: Sent, folder: Path) -> object:
        sent.raw[f"{tab}.csv"] = change(sent.text(tab)).encode()
        return sent.folder(folder)

    return send


def cells(tab: str, number: int, **values: str) -> Callable[[Sent, Path], object]:
    """Send a folder with some cells of one row changed; the totals stay as they were."""
    return lambda sent, folder: sent.change(tab, number, **values).folder(folder)


def line(number: int, change: Callable[[str], str]) -> Callable[[str], str]:
    """Change one line of a text; the header is line 1."""

    def changed(whole: str) -> str:
        lines = whole.split("\n")
        lines[number - 1] = change(lines[number - 1])
        return "\n".join(lines)

    return changed


def swap(number: int, old: str, new: str) -> Callable[[str], str]:
    """Replace a piece of one line, which must have it."""

    def swapped(one: str) -> str:
        assert old in one
        return one.replace(old, new)

    return line(number, swapped)


def named(name: str, content: bytes) -> Callable[[Sent, Path], object]:
    """Send one file of another kind under the submission's name."""
    return lambda sent, folder: (folder / name.format(sent.name)).write_bytes(content)


def zipped(*members: tuple[str, bytes]) -> Callable[[Sent, Path], None]:
    """Send a zip of anything."""

    def send(sent: Sent, folder: Path) -> None:
        with zipfile.ZipFile(folder / f"{sent.name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                archive.writestr(name, content)

    return send


def truncated_zip(sent: Sent, folder: Path) -> None:
    path = sent.zip(folder)
    path.write_bytes(path.read_bytes()[:-400])


def damaged_zip(sent: Sent, folder: Path) -> None:
    path = sent.zip(folder)
    content = bytearray(path.read_bytes())
    at = content.index(b"setl_d.csv") + 60
    content[at : at + 40] = b"\xff" * 40
    path.write_bytes(bytes(content))


def encrypted_zip(sent: Sent, folder: Path) -> None:
    """Set the flag that says a member is encrypted, in both places a zip keeps it."""
    path = sent.zip(folder)
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(mark) + offset
        content[at] |= 1
    path.write_bytes(bytes(content))


def with_link(sent: Sent, folder: Path) -> None:
    secret = folder.parent / "elsewhere.csv"
    secret.write_text("setl_id\nsecret\n")
    made = sent.folder(folder)
    (made / "setl_d_2.csv").symlink_to(secret)


def linked_zip(sent: Sent, folder: Path) -> None:
    with zipfile.ZipFile(sent.zip(folder), "a") as archive:
        member = zipfile.ZipInfo("setl_d_2.csv")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")


def mixed(sent: Sent, folder: Path) -> None:
    lines = sent.text(LINE).split("\n")
    sent.raw["fee_list_d.csv"] = b"\n".join(
        one.encode("utf-8" if n == 5 else "gb18030") for n, one in enumerate(lines)
    )
    sent.folder(folder)


def neither(sent: Sent, folder: Path) -> None:
    name = "测试甲".encode("gb18030")
    sent.raw["setl_d.csv"] = sent.text(SETL).encode("gb18030").replace(name, b"\xff\xff", 1)
    sent.folder(folder)


def another(sent: Sent, folder: Path) -> None:
    for row in (*sent.rows[SETL], *sent.rows[SUM]):
        row["fixmedins_code"] = "H13100009999"
    sent.folder(folder)


def last_month(sent: Sent, folder: Path) -> None:
    sent.clr_ym = "202603"
    sent.totals().folder(folder)


def bad_rows(number: int) -> Callable[[Sent, Path], object]:
    """Break an identity in the first settlements."""

    def send(sent: Sent, folder: Path) -> object:
        for n in range(number):
            sent.change(SETL, n, ownpay_hosp_part="0.01")
        return sent.folder(folder)

    return send


def negative(sent: Sent, folder: Path) -> None:
    row = sent.rows[SETL][2]
    for name, value in row.items():
        if TABLES[SETL].column(name).is_decimal and value not in ("", "0.00"):
            row[name] = f"-{value}"
    for one in sent.rows[LINE]:
        if one["setl_id"] == row["setl_id"]:
            one.update({n: f"-{v}" for n, v in one.items() if n in AMOUNTS and v not in ("", "0.00")})
    sent.totals().folder(folder)


AMOUNTS = {
    "cnt", "det_item_fee_sumamt", "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_amt",
}  # fmt: skip


def wire(tab: str, column: str) -> str:
    return next(iter(TABLES[tab].column(column).aliases), column)


def chinese(tab: str, column: str) -> str:
    return TABLES[tab].column(column).zh


def upper(tab: str, column: str) -> str:
    return column.upper()


def quoted_breaks(sent: Sent, folder: Path) -> None:
    for number in (0, 5):
        sent.change(LINE, number, hilist_name='第一行\n第二行,"引号"')
    sent.folder(folder)


def several_files(sent: Sent, folder: Path) -> None:
    """Send the lines in two files with columns in another order, one of them deeper down."""
    rows = sent.rows[LINE]
    sent.raw["fee_list_d.csv"] = None
    sent.rows[LINE] = rows[:7]
    sent.raw["导出[1]/费用明细_1.csv"] = sent.text(LINE).encode()
    sent.rows[LINE] = [dict(reversed(row.items())) for row in rows[7:]]
    sent.raw["导出[2]*/费用明细_2.csv"] = sent.text(LINE).encode("gb18030")
    sent.folder(folder)


def one_of_two_broken(tab: str) -> Callable[[Sent, Path], object]:
    """Send a table in two files, the second with an unclosed quote."""

    def send(sent: Sent, folder: Path) -> object:
        header, *rows = sent.text(tab).rstrip().split("\n")
        sent.raw[f"{tab}.csv"] = "\n".join([header, *rows[:5]]).encode()
        sent.raw[f"{tab}_2.csv"] = "\n".join([header, *rows[5:], '"']).encode()
        return sent.folder(folder)

    return send


def repeated_across_files(sent: Sent, folder: Path) -> None:
    """Send the first line again in a second file."""
    sent.raw["fee_list_d_2.csv"] = "\n".join(sent.text(LINE).split("\n")[:2]).encode()
    sent.folder(folder)


def repeated_across_sheets(sent: Sent, folder: Path) -> None:
    """Send the last lines on a second sheet, one of them for the second time."""
    rows = sent.rows[LINE]
    sent.rows[LINE] = rows[:10]
    sent.rows["费用明细_2"] = rows[9:]
    sent.xlsx(folder)


def rare_names(sent: Sent, folder: Path) -> None:
    for number, name in enumerate(("臧红海", "滕" + RARE, "锟斤拷", "测试乙")):
        sent.change(SETL, number, psn_name=name)
    sent.folder(folder, encoding="gb18030")


def odd_zip(sent: Sent, folder: Path) -> None:
    """A zip as Windows makes it: a folder inside, back slashes, Chinese names in GB18030 without a mark."""
    path = folder / f"{sent.name}.ZIP"
    names = {tab: f"月报\\{TABLES[tab].zh}.csv".encode("gb18030") for tab in sent.rows}
    with zipfile.ZipFile(path, "w") as archive:
        for number, (tab, name) in enumerate(names.items()):
            archive.writestr(str(number) * len(name), sent.text(tab))
        archive.writestr("__MACOSX/._setl_d.csv", b"\0\0")
        archive.writestr("说明.docx", b"PK")
    content = path.read_bytes()
    for number, name in enumerate(names.values()):
        content = content.replace(str(number).encode() * len(name), name)
    path.write_bytes(content)


def unknown_columns(sent: Sent, folder: Path) -> None:
    for row in sent.rows[SETL]:
        row["备注"] = "无"
        row["src"] = "x"
    sent.folder(folder)


def unknown_parquet_columns(sent: Sent, folder: Path) -> None:
    for number, row in enumerate(sent.rows[SETL]):
        row.update({"rn": str(number), "src": "x"})
    sent.parquet(folder)


def five(sent: Sent) -> Sent:
    """Spoil five cells of one row."""
    return sent.change(
        SETL, 3, psn_name="", gend="7", brdy="1980-02-30", medfee_sumamt="1,234.50", hifp_pay="１２"
    )


def without(*columns: str) -> Callable[[Sent, Path], object]:
    """Leave columns out of the settlements."""

    def send(sent: Sent, folder: Path) -> object:
        for row in sent.rows[SETL]:
            for column in columns:
                del row[column]
        return sent.folder(folder)

    return send


def column_twice(whole: str) -> str:
    header, *rest = whole.rstrip().split("\n")
    return "\n".join([f"{header},hosp_part_amt", *(f"{row},0" for row in rest)])


def only_blank_rows(whole: str) -> str:
    return whole.split("\n")[0] + "\n,,,\n\n,,,,\n"


def three_megabytes(row: str) -> str:
    return row.replace("测试甲", "甲" * 1_000_000)


def cut_short(row: str) -> str:
    """Keep a line up to the amount before inscp_amt."""
    names = list(TABLES[LINE].schema)
    return ",".join(row.split(",")[: names.index("inscp_amt")])


def vast_workbook(sent: Sent, folder: Path) -> None:
    with xlsxwriter.Workbook(folder / f"{sent.name}.xlsx") as book:
        sheet = book.add_worksheet("setl_d")
        sheet.write(0, 0, "setl_id")
        sheet.write(1_048_575, 16_383, "x")


def error_cells(sent: Sent, folder: Path) -> None:
    """Write a workbook whose formulas failed."""
    with xlsxwriter.Workbook(folder / f"{sent.name}.xlsx") as book:
        for tab, rows in sent.rows.items():
            sheet = book.add_worksheet(tab)
            sheet.write_row(0, 0, sent.header(tab))
            for at, row in enumerate(rows, start=1):
                sheet.write_row(at, 0, list(row.values()))
        column = {tab: sent.header(tab).index for tab in (SETL, LINE)}
        book.get_worksheet_by_name(SETL).write_formula(1, column[SETL]("hifp_pay"), "=NA()", None, "#N/A")
        book.get_worksheet_by_name(LINE).write_formula(2, column[LINE]("lmt_used_flag"), "=A1", None, "#REF!")


def blank_lines(whole: str) -> str:
    header, *rest = whole.split("\n")
    commas = "," * header.count(",")
    return "\n".join([header, "", commas, *rest[:3], "", "", *rest[3:], ""])


NO_TABLES = ("S09 clr_sum", "S09 fee_list_d", "S09 setl_d")
FIVE = (
    ("R01", SETL, 5, "psn_name", ""),
    ("R03", SETL, 5, "hifp_pay", "１２"),
    ("R03", SETL, 5, "medfee_sumamt", "1,234.50"),
    ("R04", SETL, 5, "brdy", "1980-02-30"),
    ("R05", SETL, 5, "gend", "7"),
)


def sums_differ(number: int) -> tuple[tuple[str, str, int, str, str], ...]:
    """Say what a line too many does to the sums of a settlement."""
    buckets = tuple(
        ("R15", SETL, number, c, v) for c, v in (("preselfpay_amt", "2.00"), ("inscp_amt", "30.00"))
    )
    return (*buckets, ("R16", SETL, number, "medfee_sumamt", "32.00"))


def cell(reason: str, tab: str, number: int, column: str, value: str) -> Case:
    """Say what a cell that must not be accepted gives; the row counts from 0."""
    send = cells(tab, number, **{column: value})
    return Case(send, returned=((reason, tab, number + 2, column, value),), accepted=9)


REFUSED = {
    "空文件": Case(raw("setl_d.csv", b""), ("S14 setl_d.csv 是空文件",)),
    "只有BOM": Case(raw("setl_d.csv", b"\xef\xbb\xbf\n"), ("S14 setl_d.csv 是空文件",)),
    "只有表头": Case(text(LINE, lambda t: t.split("\n")[0]), ("S14 fee_list_d.csv 只有表头",)),
    "只有空行": Case(text(LINE, only_blank_rows), ("S14 fee_list_d 费用明细",)),
    "分号分隔": Case(
        lambda s, f: s.folder(f, delimiter=";"),
        ("S18 clr_sum.csv 用分号分隔", "S18 fee_list_d.csv 用分号分隔", "S18 setl_d.csv 用分号分隔"),
    ),
    "回车换行": Case(
        lambda s, f: s.folder(f, newline="\r"),
        ("S18 clr_sum.csv 用回车", "S18 fee_list_d.csv 用回车", "S18 setl_d.csv 用回车"),
    ),
    "表头无一认识": Case(text(SETL, line(1, lambda t: "甲,乙")), ("S18 首行没有一个规定的字段名",)),
    "混用编码": Case(mixed, ("S11 fee_list_d.csv 第 6 行是 UTF-8,而其他行不是",)),
    "两种编码都不是": Case(neither, ("S11 setl_d.csv 第 2 行既不是 UTF-8 也不是 GB18030",)),
    "空字节": Case(text(SETL, line(3, lambda t: t + "\0")), ("S12 setl_d.csv 第 3 行含空字节",)),
    "UTF-16": Case(
        lambda s, f: s.folder(f, encoding="utf-16"),
        tuple(f"S12 {tab}.csv 第 1 行含空字节(可能是 UTF-16 编码)" for tab in (SUM, LINE, SETL)),
    ),
    "三兆字节一格": Case(text(SETL, line(4, three_megabytes)), ("S13 setl_d.csv 第 4 行",)),
    "截断的压缩包": Case(truncated_zip, ("S01 {name}.zip 已损坏或不完整(BadZipFile)",)),
    "损坏的压缩包": Case(damaged_zip, ("S01 {name}.zip 已损坏或不完整",)),
    "加密的压缩包": Case(encrypted_zip, ("S01 压缩包已加密",)),
    "加密的工作簿": Case(named("{}.xlsx", OLE), ("S01 工作簿已加密或为旧版格式",)),
    "旧版工作簿": Case(named("{}.xls", OLE), ("S01 不支持的文件类型 .xls",)),
    "不是工作簿": Case(named("{}.xlsx", b"setl_id,mdtrt_id"), ("S01 已损坏",)),
    "行列过多的工作簿": Case(vast_workbook, ("S02 工作表行列过多",)),
    "空压缩包": Case(zipped(), NO_TABLES),
    "空目录": Case(lambda s, f: (f / s.name).mkdir(), NO_TABLES),
    "向外的路径": Case(zipped(("../../setl_d.csv", b"x")), ("S02 指向包外",)),
    "绝对路径": Case(zipped(("/etc/setl_d.csv", b"x")), ("S02 指向包外",)),
    "盘符路径": Case(zipped(("C:\\setl_d.csv", b"x")), ("S02 指向包外",)),
    "无名成员": Case(zipped((".", b"x")), ("S02 指向包外",)),
    "压缩炸弹": Case(zipped(("setl_d.csv", bytes(65 << 20))), ("S02 压缩比",)),
    "文件过多": Case(zipped(*((f"{n}.csv", b"x") for n in range(201))), ("S02 共 201 个文件",)),
    "嵌套压缩包": Case(zipped(("a/数据.zip", b"PK")), ("S02 压缩包内又有压缩包 a/数据.zip",)),
    "目录中的符号链接": Case(with_link, ("S02 含符号链接 setl_d_2.csv",)),
    "压缩包中的符号链接": Case(linked_zip, ("S02 含符号链接 setl_d_2.csv",)),
    "上月的申报": Case(last_month, ("S04 应为 202604,申报为 202603",) * 2),
    "别家的数据": Case(another, ("S05 应为 {code},文件中为 H13100009999",) * 2),
    "缺表": Case(raw("fee_list_d.csv", None), ("S09 fee_list_d 费用明细",)),
    "缺列": Case(without("gend", "psn_no"), ("S10 psn_no、gend(setl_d.csv)",)),
    "列重复": Case(text(SETL, column_twice), ("S19 setl_d.csv 的 ownpay_hosp_part",)),
    "未闭合引号": Case(text(SETL, swap(5, "测试甲", '"测试甲')), ("S20 setl_d.csv 第 5 行起",)),
    "引号在字段中间": Case(text(LINE, swap(8, "测试项目", '5" 管')), ("S20 fee_list_d.csv 第 8 行起",)),
    "两个明细文件坏一个": Case(one_of_two_broken(LINE), ("S20 fee_list_d_2.csv 第 17 行起",)),
    "两个结算文件坏一个": Case(one_of_two_broken(SETL), ("S20 setl_d_2.csv 第 7 行起",)),
    "差错超过一成": Case(
        bad_rows(2),
        ("S16 2/10 超过上限 10%",),
        tuple(("R10", SETL, n, "medfee_sumamt", "32.00") for n in (2, 3)),
    ),
    "汇总差一分": Case(cells(SUM, 0, cash_payamt="20.01"), ("S15 现金支付金额 汇总 20.01 明细 20.00",)),
    "汇总差一笔": Case(cells(SUM, 0, fixmedins_setl_cnt="9"), ("S15 结算笔数 汇总 9 明细 10",)),
    "汇总无法读取": Case(
        cells(SUM, 0, medfee_sumamt="３００"),
        ("S15 汇总表有不合规的值,无法核对",),
        (("R03", SUM, 2, "medfee_sumamt", "３００"),),
    ),
}
RETURNED = {
    "差错恰为一成": Case(bad_rows(1), (), (("R10", SETL, 2, "medfee_sumamt", "32.00"),), 9),
    "负数未冲销": Case(
        negative,
        (),
        (
            ("R18", SETL, 4, "medfee_sumamt", "-32.00"),
            ("R19", LINE, 6, "init_feedetl_sn", ""),
            ("R19", LINE, 7, "init_feedetl_sn", ""),
        ),
        9,
    ),
    "二月三十日": cell("R04", SETL, 0, "begndate", "2026-02-30"),
    "闰秒": cell("R04", SETL, 1, "setl_time", "2026-04-10 23:59:60"),
    "零年": cell("R04", SETL, 1, "brdy", "0000-01-01"),
    "全角数字": cell("R03", SETL, 0, "hifp_pay", "２８.00"),
    "千分位": cell("R03", LINE, 3, "det_item_fee_sumamt", "1,234.50"),
    "科学计数": cell("R03", LINE, 3, "inscp_amt", "1e5"),
    "NaN": cell("R03", SETL, 9, "psn_pay", "NaN"),
    "无穷大": cell("R03", SETL, 9, "cash_payamt", "inf"),
    "字段过多": Case(text(SETL, line(3, lambda t: t + ",,,多余")), (), (("R09", SETL, 3, "", "多余"),), 9),
    "首行字段过多": Case(
        text(SETL, line(2, lambda t: t + ",一,二,三,四,五,六")), (), (("R09", SETL, 2, "", "一"),), 9
    ),
    "字段过少": Case(text(LINE, line(4, cut_short)), (), (("R01", LINE, 4, "inscp_amt", ""),), 9),
    "一行五处差错": Case(lambda s, f: five(s).folder(f), (), FIVE, 9),
    "工作簿一行五处差错": Case(lambda s, f: five(s).xlsx(f), (), FIVE, 9),
    "Parquet一行五处差错": Case(lambda s, f: five(s).parquet(f), (), FIVE, 9),
    "跨文件的重复主键": Case(
        repeated_across_files,
        (),
        (("R06", LINE, 2, "bkkp_sn", "0"), ("R06", LINE, 2, "bkkp_sn", "0"), *sums_differ(2)),
        9,
    ),
    "跨工作表的重复主键": Case(
        repeated_across_sheets,
        (),
        (("R06", LINE, 11, "bkkp_sn", "1"), ("R06", LINE, 2, "bkkp_sn", "1"), *sums_differ(6)),
        9,
    ),
    "工作簿错误值": Case(
        error_cells,
        (),
        (("R03", SETL, 2, "hifp_pay", "#N/A"), ("R05", LINE, 3, "lmt_used_flag", "#REF!")),
        9,
    ),
    "空行后的差错": Case(
        text(SETL, lambda t: swap(9, ",310,", ",311,")(blank_lines(t))),
        (),
        (("R05", SETL, 9, "insutype", "311"),),
        9,
    ),
}
READ = {
    "可选表只有表头": Case(raw("setl_list_diag_d.csv", b"setl_id,diag_code,maindiag_flag\n")),
    "CRLF": Case(lambda s, f: s.folder(f, newline="\r\n")),
    "BOM": Case(lambda s, f: s.folder(f, encoding="utf-8-sig")),
    "GB18030含四字节": Case(rare_names),
    "制表符": Case(lambda s, f: s.folder(f, delimiter="\t")),
    "接口字段名": Case(lambda s, f: s.folder(f, naming=wire)),
    "中文表头": Case(lambda s, f: s.folder(f, naming=chinese)),
    "大写表头": Case(lambda s, f: s.folder(f, naming=upper)),
    "空行": Case(text(SETL, blank_lines)),
    "引号内换行": Case(quoted_breaks),
    "Parquet": Case(lambda s, f: s.parquet(f)),
    "Parquet带类型": Case(lambda s, f: s.parquet(f, typed=True)),
    "Parquet有保留列名": Case(unknown_parquet_columns),
    "工作簿": Case(lambda s, f: s.xlsx(f)),
    "工作簿带类型": Case(lambda s, f: s.xlsx(f, typed=True)),
    "压缩包": Case(lambda s, f: with_diagnoses(s).zip(f)),
    "视窗压缩包": Case(odd_zip),
    "一表多个文件": Case(several_files),
    "未知列": Case(unknown_columns),
    "早于两年的日期": Case(cells(SETL, 0, setl_time="2020-01-01 00:00:00")),
    "中文长名": Case(cells(SETL, 0, psn_name="买买提" * 16)),
}
CASES: dict[str, Case] = REFUSED | RETURNED | READ
CODES = {name: f"H131{number:08d}" for number, name in enumerate(CASES, start=100)}
