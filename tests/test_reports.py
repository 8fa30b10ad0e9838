"""The documents of a month: figures, words, masking, and that text stays text."""

import csv
import dataclasses
import datetime as dt
import zipfile
from decimal import Decimal

import openpyxl
import polars as pl
import pytest

from settlement.labels import LABELS
from settlement.masking import mask, mask_all, mask_text
from settlement.reports import tables
from settlement.reports.capitals import capitals
from settlement.reports.month import write_month
from settlement.reports.prepare import folder_name
from tests.report_facts import month_facts

HOSPITAL, OTHER, REFUSED = "H370700000000", "H370700000001", "P370700000002"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zh")
    facts = month_facts()
    return facts, folder, write_month(facts, folder)


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    folder = tmp_path_factory.mktemp("en")
    return folder, write_month(month_facts(lang="en"), folder)


def rows_of(path, sheet=None):
    book = openpyxl.load_workbook(path)
    return [list(row) for row in (book[sheet] if sheet else book.worksheets[0]).iter_rows(values_only=True)]


def table_of(path, sheet, first):
    """Return a sheet's rows by header, from the header row that begins with `first` on."""
    rows = rows_of(path, sheet)
    at = next(i for i, row in enumerate(rows) if row[0] == first)
    return [dict(zip(rows[at], row, strict=True)) for row in rows[at + 1 :]]


def own(folder, code, name):
    return folder / "institutions" / code / name


def test_each_institution_gets_its_documents(written):
    _, folder, paths = written

    names = {str(path.relative_to(folder)) for path in paths}

    assert names == {
        "01_拨付汇总表.xlsx",
        "08_基金拨付凭证摘要.xlsx",
        "13_规则运行统计.xlsx",
        "14_运行证明.xlsx",
        *(
            f"institutions/{code}/{name}"
            for code in (HOSPITAL, OTHER)
            for name in (
                "02_月结算单.xlsx",
                "03_审核扣款明细表.xlsx",
                "受理通知书.xlsx",
                "审核扣款明细.csv",
                "退回清单.csv",
            )
        ),
        f"institutions/{REFUSED}/不予受理通知书.xlsx",
        f"institutions/{REFUSED}/退回清单.csv",
    }
    assert paths == sorted(paths)


def test_summary_totals_are_the_payments(written):
    facts, folder, _ = written
    rows = table_of(folder / "01_拨付汇总表.xlsx", "拨付汇总", "序号")
    total = next(row for row in rows if row["序号"] == "合计")
    funds = [row for row in rows if row["序号"] == "小计"]

    paid = facts.payment["act_dfr_amt"].sum()

    assert Decimal(str(total["本期实拨"])) == paid
    assert Decimal(str(total["申报基金额"])) == facts.payment["fund_appy_sum"].sum()
    assert total["申报人次"] == facts.clearing["setl_cnt"].sum()
    assert sum(Decimal(str(row["本期实拨"])) for row in funds) == paid
    assert len(funds) == facts.payment["fund_pay_type"].n_unique()
    listed = [row for row in rows if isinstance(row["序号"], int)]
    assert {row["收款账号"] for row in listed if row["基金类别"]} == {"****0000", "****0001"}
    assert [row["状态"] for row in listed if not row["基金类别"]] == ["不予受理"]


def test_summary_has_a_sheet_by_fund_and_a_chart(written):
    _, folder, _ = written
    path = folder / "01_拨付汇总表.xlsx"

    book = openpyxl.load_workbook(path)

    assert book.sheetnames == ["拨付汇总", "分基金", "分机构"]
    assert any("chart" in name for name in zipfile.ZipFile(path).namelist())
    by_fund = table_of(path, "分基金", "基金类别")
    assert [row["基金类别"] for row in by_fund][-1] == "合计"


def test_statement_shows_every_step_and_the_amount_in_words(written):
    facts, folder, _ = written
    rows = rows_of(own(folder, OTHER, "02_月结算单.xlsx"))
    steps = {row[0]: row[1:5] for row in rows if row[0]}
    mine = facts.payment.filter(pl.col("fixmedins_code") == OTHER)
    paid = mine["act_dfr_amt"].sum()

    assert Decimal(str(steps["申报基金额"][3])) == mine["fund_appy_sum"].sum()
    assert Decimal(str(steps["本期实拨"][3])) == paid
    assert steps["不足部分结转下期抵扣"][2] == 500
    assert steps["= 应拨净额"][2] == -500
    assert any(capitals(paid) in str(row[0]) for row in rows)
    assert any("2026-06-19" in str(row[0]) for row in rows)


def test_statement_fits_one_page(written):
    _, folder, _ = written

    sheet = openpyxl.load_workbook(own(folder, HOSPITAL, "02_月结算单.xlsx")).worksheets[0]

    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToHeight in (None, 1)  # 1 is what a file leaves out
    assert sheet.oddFooter.center.text == "第 &P 页 共 &N 页"


def test_findings_are_split_by_grade_and_add_up(written):
    facts, folder, _ = written
    path = own(folder, HOSPITAL, "03_审核扣款明细表.xlsx")
    mine = facts.details.filter(pl.col("fixmedins_code") == HOSPITAL)

    totals = table_of(path, "按规则汇总", "规则编码")
    violations = table_of(path, "违规", "疑点号")
    suspects = table_of(path, "可疑", "疑点号")

    assert openpyxl.load_workbook(path).sheetnames == ["按规则汇总", "违规", "可疑"]
    assert totals[-1]["规则编码"] == "合计"
    assert Decimal(str(totals[-1]["复审扣款"])) == mine["final_det_sumamt"].sum()
    assert totals[-1]["命中条数"] == mine.height
    assert len(violations) + len(suspects) == mine.height
    assert {row["等级"] for row in violations} == {"违规"}
    assert {row["等级"] for row in suspects} == {"可疑"}


def answered(facts):
    """`facts` after review: everybody appealed and was answered, naming the patient."""
    return dataclasses.replace(
        facts,
        details=facts.details.with_columns(
            agreed_amt=pl.lit("1.50").cast(pl.Decimal(16, 2)),
            reply_reason=pl.format("=病程已记录,患者{}({})", "psn_name", "psn_no"),
            decision_reason=pl.format("{}的医嘱不足", "psn_name"),
            reviewer=pl.lit("钱复审"),
        ),
    )


def test_the_list_says_what_was_answered_and_why_it_was_decided_so(tmp_path):
    facts = answered(month_facts())
    write_month(facts, tmp_path)
    path = own(tmp_path, HOSPITAL, "03_审核扣款明细表.xlsx")
    rows = table_of(path, "违规", "疑点号")
    with own(tmp_path, HOSPITAL, "审核扣款明细.csv").open(encoding="utf-8-sig", newline="") as file:
        listed = {row["疑点号"]: row for row in csv.DictReader(file)}
    person = facts.details.filter(pl.col("finding_id") == rows[0]["疑点号"]).row(0, named=True)
    first = mask("psn_name", person["psn_name"])

    assert rows[0]["认可金额"] == 1.5
    assert rows[0]["申诉理由"] == f"=病程已记录,患者{first}({mask('psn_no', person['psn_no'])})"
    assert rows[0]["复审理由"] == f"{first}的医嘱不足"
    same = listed[rows[0]["疑点号"]]
    assert (same["认可金额"], same["申诉理由"]) == ("1.50", f"'{rows[0]['申诉理由']}")
    assert "钱复审" not in _all_text(path) + own(tmp_path, HOSPITAL, "审核扣款明细.csv").read_text("utf-8")


def test_the_list_fits_the_width_of_one_page(written):
    _, folder, _ = written
    sheet = openpyxl.load_workbook(own(folder, HOSPITAL, "03_审核扣款明细表.xlsx"))["违规"]

    assert int(sheet.page_setup.paperSize) == tables.A3
    assert sheet.page_setup.fitToWidth in (None, 1)
    # In characters of the body type: a page of A3 then prints at about half its size.
    assert sum(column.width for column in sheet.column_dimensions.values()) < 450


@pytest.mark.parametrize("rows", [1, tables.STREAM_ROWS + 1], ids=["in memory", "streamed"])
def test_a_cell_shows_any_text_as_it_is_or_cut_with_a_mark(tmp_path, rows):
    texts = ["<r><t>粗</t></r>", "<r>&amp;</r>", "a</r>", "字" * (tables.LONGEST + 1), "字" * tables.LONGEST]
    book = tables.Book(tmp_path / "a.xlsx", "t", dt.date(2026, 4, 1), rows)
    grid = tables.Grid(book, book.sheet("表"), [tables.Column("a", "甲", "text", 20)])
    grid.body([text] for text in texts)
    read = [row[0] for row in rows_of(book.close())]

    assert read[:3] == [" <r><t>粗</t></r>", " <r>&amp;</r>", "a</r>"]
    assert read[3:] == ["字" * (tables.LONGEST - 1) + "…", texts[4]]


def test_lists_have_filter_frozen_header_and_repeated_rows(written):
    _, folder, _ = written

    sheet = openpyxl.load_workbook(own(folder, HOSPITAL, "03_审核扣款明细表.xlsx"))["违规"]

    assert sheet.auto_filter.ref
    assert sheet.freeze_panes == "B5"
    assert sheet.print_title_rows == "$4:$4"
    assert sheet.page_setup.orientation == "landscape"


def test_no_text_ever_becomes_a_formula(written):
    _, _, paths = written
    risky = 0
    for path in paths:
        if path.suffix != ".xlsx":
            continue
        for sheet in openpyxl.load_workbook(path).worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    assert cell.data_type != "f", (path, cell.coordinate)
                    if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@")):
                        assert cell.data_type == "s"
                        risky += 1

    assert risky > 10


def test_csv_cells_do_not_open_as_formulas(written):
    _, folder, _ = written
    with own(folder, HOSPITAL, "退回清单.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))

    assert own(folder, HOSPITAL, "退回清单.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert len(rows) == 12
    assert {row["申报值"][:2] for row in rows if row["字段"] == "cnt"} == {"'="}


def test_nothing_of_an_institution_shows_a_person(written):
    facts, _, paths = written
    persons = {*facts.details["psn_name"], *facts.details["psn_no"]}
    personal = facts.returned.filter(pl.col("column").is_in(["psn_name", "certno", "brdy"]))
    secrets = {value for value in (*persons, *personal["value"]) if value}

    for path in paths:
        if "institutions" not in path.parts:
            continue
        text = path.read_text("utf-8") if path.suffix == ".csv" else _all_text(path)
        assert not [secret for secret in secrets if secret in text], path


def _all_text(path):
    return "\n".join(
        str(value)
        for sheet in openpyxl.load_workbook(path).worksheets
        for row in sheet.iter_rows(values_only=True)
        for value in row
        if value is not None
    )


def test_mask_keeps_little_and_never_the_whole():
    assert mask("psn_name", "张三丰") == "张*"
    assert mask("certno", "131002198002301234") == "131****1234"
    assert mask("certno", "1234567") == "****"
    assert mask("psn_no", "1310000001") == "****0001"
    assert mask("psn_no", "0001") == "****"
    assert mask("brdy", "1980-02-30") == "1980****"
    assert mask("brdy", "张三") == "****"
    assert mask("psn_name", None) is None
    assert mask("psn_name", "") == ""
    assert mask_all("psn_name", ["李雷", None, "李雷"]) == ["李*", None, "李*"]
    assert mask_text("brdy", "1980-02-30", "日期无效:1980-02-30") == "日期无效:1980****"


def test_at_most_1000_rows_per_reason_and_rule_and_the_rest_in_csv(tmp_path):
    facts = month_facts(institutions=1, refused=0, findings=6 * 1003, faults=5 * 1002)
    one = dataclasses.replace(
        facts,
        details=facts.details.filter(pl.col("rule_id").is_in(["C03"])),
        returned=facts.returned.filter(pl.col("reason").is_in(["R10"])),
    )

    write_month(one, tmp_path)

    faults = rows_of(own(tmp_path, HOSPITAL, "受理通知书.xlsx"), "差错清单")
    assert len([row for row in faults if row[0] == "R10"]) == 1000
    assert faults[-1][0] == "R10:此处列出 1,000 条,另有 2 条未列;完整清单见 退回清单.csv"
    path = own(tmp_path, HOSPITAL, "03_审核扣款明细表.xlsx")
    listed = table_of(path, "可疑", "疑点号")
    assert len([row for row in listed if row["规则编码"] == "C03"]) == 1000
    assert "另有 3 条" in listed[-1]["疑点号"]
    total = table_of(path, "按规则汇总", "规则编码")[-1]
    assert (total["命中条数"], total["本表列出"]) == (1003, 1000)
    assert own(tmp_path, HOSPITAL, "审核扣款明细.csv").read_bytes().count(b"\r\n") == 1004
    assert own(tmp_path, HOSPITAL, "退回清单.csv").read_bytes().count(b"\r\n") == 1003


def test_same_facts_give_the_same_bytes_whatever_the_order_of_rows(tmp_path):
    facts = month_facts()
    shuffled = dataclasses.replace(
        facts,
        **{
            name: getattr(facts, name).sample(fraction=1, shuffle=True, seed=7)
            for name in (
                "submissions",
                "institutions",
                "returned",
                "details",
                "finding_funds",
                "clearing",
                "clearing_fund",
                "payment",
                "rules",
            )
        },
    )

    first = write_month(facts, tmp_path / "a")
    second = write_month(shuffled, tmp_path / "b")

    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one


def test_properties_carry_the_month_and_no_clock(written):
    _, folder, _ = written

    properties = openpyxl.load_workbook(folder / "01_拨付汇总表.xlsx").properties

    assert properties.created.isoformat() == "2026-04-01T00:00:00"


def test_worker_processes_write_the_same_files(tmp_path, monkeypatch):
    monkeypatch.setattr("settlement.reports.pooled.FEW", 2)
    facts, seen = month_facts(findings=6, faults=2), []

    alone = write_month(facts, tmp_path / "a", processes=1)
    shared = write_month(facts, tmp_path / "b", processes=2, progress=lambda *n: seen.append(n))

    assert [path.read_bytes() for path in alone] == [path.read_bytes() for path in shared]
    assert seen[-1] == (3, 3)


def test_a_huge_workbook_is_streamed_and_reads_the_same(written, tmp_path, monkeypatch):
    facts, folder, _ = written
    monkeypatch.setattr(tables, "STREAM_ROWS", 5)

    write_month(facts, tmp_path)

    name = "03_审核扣款明细表.xlsx"
    for sheet in ("按规则汇总", "违规", "可疑"):
        assert rows_of(own(tmp_path, HOSPITAL, name), sheet) == rows_of(own(folder, HOSPITAL, name), sheet)


def test_refusal_lists_every_reason_once(written):
    _, folder, _ = written
    path = own(folder, REFUSED, "不予受理通知书.xlsx")

    letter = rows_of(path, "通知书")
    codes = [row[0] for row in letter if str(row[0])[:1] in ("S", "R") and len(str(row[0])) == 3]

    assert codes == ["S09", "R01", "R02", "R03", "R04", "R10"]
    assert any("不予受理" in str(row[0]) for row in letter)
    faults = table_of(path, "差错清单", "原因代码")
    assert len(faults) == 13
    assert faults[1]["处理办法"] == "请补填"


def test_rule_statistics_name_the_missing_tables(written):
    facts, folder, _ = written
    path = folder / "13_规则运行统计.xlsx"

    ran = table_of(path, "规则统计", "规则编码")
    absent = table_of(path, "未运行规则", "规则编码")

    assert absent[0]["规则编码"] == "E12"
    assert "kb_dose.csv" in absent[0]["缺少的数据表"]
    assert ran[-1]["命中条数"] == facts.details.height
    assert Decimal(str(ran[-1]["初审扣款"])) == facts.details["det_sumamt"].sum()


def test_proof_marks_assumed_parameters_and_failed_checks(tmp_path):
    facts = month_facts(institutions=1, refused=0)
    facts.run["checks"].append({"name": "台账连续", "left": "1.00", "right": "2.00", "ok": False})

    write_month(facts, tmp_path)

    path = tmp_path / "14_运行证明.xlsx"
    parameters = {row["参数"]: row["推定"] for row in table_of(path, "参数", "参数")}
    assert parameters == {"deposit_ratio": "推定", "payment_method": None, "adult_age": None}
    assert [row["结果"] for row in table_of(path, "校验", "校验")] == ["通过", "通过", "未通过"]
    assert rows_of(path, "证明")[3][1] == "5f" * 32
    stages = table_of(path, "流程", "环节")
    assert stages[1] == {"环节": "申报接收", "项目": "申报结算", "行数": 15003, "金额(元)": None}
    assert stages[-1] == {"环节": "结算", "项目": "本期实拨", "行数": None, "金额(元)": 5986371.25}


def test_english_documents_have_english_labels(english):
    folder, paths = english
    chinese = {zh for zh, en in LABELS.values() if zh != en and len(zh) > 1}

    for path in paths:
        if path.suffix != ".xlsx":
            continue
        book = openpyxl.load_workbook(path)
        cells = {v for sheet in book for row in sheet.iter_rows(values_only=True) for v in row}
        assert not cells & chinese, path
        assert not [name for name in book.sheetnames if not name.isascii()]
    faults = table_of(own(folder, HOSPITAL, "受理通知书.xlsx"), "Faults", "reason code")
    assert {row["reason"] for row in faults if row["reason code"] == "R03"} == {
        "not a plain number: =SUM(A3)",
        "not a plain number: =SUM(A8)",
    }
    assert {row["field"] for row in faults if row["column"] == "psn_name"} == {"person name"}


def test_a_month_with_nothing_in_it_still_has_its_documents(tmp_path):
    facts = month_facts()
    empty = {
        name: getattr(facts, name).clear()
        for name in (
            "submissions",
            "institutions",
            "returned",
            "details",
            "finding_funds",
            "clearing",
            "clearing_fund",
            "payment",
            "rules",
        )
    }

    paths = write_month(dataclasses.replace(facts, run={}, **empty), tmp_path)

    assert [path.name for path in paths] == ["01_拨付汇总表.xlsx", "13_规则运行统计.xlsx", "14_运行证明.xlsx"]


def test_before_the_calculation_there_is_no_statement(tmp_path):
    facts = month_facts()
    early = dataclasses.replace(
        facts,
        payment=facts.payment.clear(),
        clearing=facts.clearing.clear(),
        clearing_fund=facts.clearing_fund.clear(),
    )

    names = {path.name for path in write_month(early, tmp_path)}

    assert "02_月结算单.xlsx" not in names
    assert "03_审核扣款明细表.xlsx" in names


def test_folder_name_cannot_leave_the_folder():
    assert folder_name("H370700000000") == "H370700000000"
    for code in ("../../etc", "", "a/b", "..", "机构", "C:\\x"):
        assert "/" not in folder_name(code)
        assert "\\" not in folder_name(code)
        assert ".." not in folder_name(code)
    assert folder_name("a/b") != folder_name("a\\b")


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0.00", "零元整"),
        ("0.05", "伍分"),
        ("10.00", "壹拾元整"),
        ("1005.60", "壹仟零伍元陆角整"),
        ("1000.05", "壹仟元零伍分"),
        ("100010001.00", "壹亿零壹万零壹元整"),
        ("20000000.30", "贰仟万元叁角整"),
        ("9393.95", "玖仟叁佰玖拾叁元玖角伍分"),
        ("-12.34", "负壹拾贰元叁角肆分"),
    ],
)
def test_amounts_in_words(amount, words):
    assert capitals(Decimal(amount)) == words
