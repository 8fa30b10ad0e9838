"""The feedback workbook: written, filled in, read back, judged."""

import csv
import datetime as dt
import os
import shutil
import subprocess
import zipfile
from dataclasses import replace
from decimal import Decimal

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settlement.feedback.checking import check
from settlement.feedback.columns import ANSWERS, LOCKED, NO_FINDINGS, digest_of, keys, sheet_columns
from settlement.feedback.reading import read_replies
from settlement.feedback.reasons import REASONS
from settlement.reports import feedback_sheet, pooled, tables
from settlement.reports.feedback_sheet import CSV_FILE, FILE, write_letters
from tests import feedback_cases as cases

HOSPITAL, OTHER, CLEAN = "H370700000000", "H370700000001", "H370700000009"
AGREED, PARTLY, DISPUTED = "认可", "部分认可", "不认可"
HEAD = 4
COLUMNS = keys(LOCKED) + keys(ANSWERS)


@pytest.fixture(scope="module")
def sent():
    return cases.findings()


@pytest.fixture(scope="module")
def told(sent):
    return cases.letters(sent, CLEAN)


@pytest.fixture(scope="module")
def folder(sent, told, tmp_path_factory):
    target = tmp_path_factory.mktemp("month")
    write_letters(told, sent, target, processes=1)
    return target


@pytest.fixture
def judged(sent, told):
    """Read files and judge them; keywords replace what they are judged against."""

    def run(*paths, batches=None, today=cases.TODAY, only=None, against=None):
        read = read_replies(list(paths))
        open_batches = cases.batches(told) if batches is None else batches
        return check(read, sent if against is None else against, open_batches, today, only)

    return run


def own(folder, code=HOSPITAL, name=FILE):
    return folder / "institutions" / code / name


def cell(ws, row, key):
    return ws.cell(row, COLUMNS.index(key) + 1)


def put(ws, row, **values):
    """Write cells of a row of findings; text stays text, even one that looks like a formula."""
    for key, value in values.items():
        at = cell(ws, row, key)
        at.value = value
        if isinstance(value, str):
            at.data_type = "s"


def letter_of(key):
    return openpyxl.utils.get_column_letter(COLUMNS.index(key) + 1)


def filled(folder, path, edit, code=HOSPITAL):
    """Copy an institution's workbook to `path`, edited by `edit`."""
    book = openpyxl.load_workbook(own(folder, code))
    edit(book)
    book.save(path)
    return path


def answer_all(book, answer=AGREED, **more):
    for name in {"违规", "可疑"} & set(book.sheetnames):
        for row in range(HEAD + 1, book[name].max_row + 1):
            put(book[name], row, answer=answer, **more)


def sign(book, who="王小二", on=dt.datetime(2026, 5, 18)):  # noqa: DTZ001
    for row in book["说明"].iter_rows():
        if row[0].value in ("填报人", "填报日期"):
            row[1].value = who if row[0].value == "填报人" else on


def codes_at(refused):
    return list(refused.select("code", "place").iter_rows())


# ---- what is written ----


def test_every_institution_gets_a_workbook_and_a_csv_form_where_there_is_something_to_answer(folder, told):
    assert len(told) == 4
    assert all(own(folder, one.fixmedins_code).exists() for one in told)
    assert own(folder, OTHER, CSV_FILE).exists()
    assert not own(folder, CLEAN, CSV_FILE).exists()


def test_a_clean_institution_gets_one_page_that_says_so(folder):
    book = openpyxl.load_workbook(own(folder, CLEAN))
    text = "\n".join(str(c.value) for row in book["说明"].iter_rows() for c in row if c.value)

    assert [ws.title for ws in book if ws.sheet_state == "visible"] == ["说明"]
    assert "没有发现疑点" in text
    assert "填报人" not in text


def test_every_finding_is_listed_however_many_there_are(tmp_path):
    many = cases.findings(1, 3_100)
    write_letters(cases.letters(many), many, tmp_path, processes=1)

    found = [
        row[0].value
        for name in ("违规", "可疑")
        for row in openpyxl.load_workbook(own(tmp_path))[name].iter_rows(min_row=HEAD + 1)
    ]

    assert sorted(found) == sorted(many["finding_id"])


def test_a_large_institution_is_streamed_and_goes_on_on_a_second_sheet(tmp_path, monkeypatch, sent, told):
    monkeypatch.setattr(tables, "STREAM_ROWS", 5)
    monkeypatch.setattr(feedback_sheet, "ROWS_PER_SHEET", 3)
    write_letters(told, sent, tmp_path, processes=1)

    book = openpyxl.load_workbook(own(tmp_path))
    read = read_replies([own(tmp_path)])

    assert [name for name in book.sheetnames if name[:2] in ("违规", "可疑")] == [
        "违规", "违规 2", "违规 3", "可疑", "可疑 2",
    ]  # fmt: skip
    assert read.files["rows"].to_list() == [12]
    assert read.problems.is_empty()


def test_key_columns_are_locked_and_answers_are_not(folder):
    ws = openpyxl.load_workbook(own(folder))["违规"]
    last = ws.max_row

    assert ws.protection.sheet
    assert not ws.protection.autoFilter  # openpyxl: False means allowed while protected
    assert ws.auto_filter.ref == f"A{HEAD}:{letter_of('attachments')}{last}"
    assert ws.freeze_panes == f"B{HEAD + 1}"
    assert all(
        cell(ws, HEAD + 1, key).protection.locked for key in keys(LOCKED) if cell(ws, HEAD + 1, key).value
    )
    widths = {key: ws.column_dimensions[letter_of(key)] for key in keys(ANSWERS)}
    assert not any(column.protection.locked for column in widths.values())
    rules = {str(v.sqref): v for v in ws.data_validations.dataValidation}
    offered = rules[f"{letter_of('answer')}{HEAD + 1}:{letter_of('answer')}{last}"]
    amount = rules[f"{letter_of('agreed_amt')}{HEAD + 1}:{letter_of('agreed_amt')}{last}"]
    assert offered.formula1 == f'"{AGREED},{PARTLY},{DISPUTED}"'
    assert (amount.type, amount.formula1, amount.formula2) == (
        "decimal", "0", f"${letter_of('limit_amt')}{HEAD + 1}",
    )  # fmt: skip
    assert len(rules) == 2


def test_the_first_page_says_how_much_by_when_and_what_silence_means(folder, sent):
    ws = openpyxl.load_workbook(own(folder))["说明"]
    rows = {row[0].value: row for row in ws.iter_rows() if row[0].value}
    text = "\n".join(map(str, rows))
    mine = sent.filter(fixmedins_code=HOSPITAL)

    assert "2026-05-20(含当日)前反馈,自发出次日起共 5 个工作日" in text
    assert "视为认可" in text
    assert rows["合计"][1].value == 12
    assert Decimal(str(rows["合计"][2].value)) == mine["limit_amt"].sum()
    assert rows["违规"][3].value.startswith("=COUNTA('违规'!")
    assert rows["联系方式"][1].value == "初审岗 0316-5550000"
    assert not rows["填报人"][1].protection.locked


def test_persons_are_masked_and_text_is_never_a_formula(folder, sent):
    texts = [
        zipfile.ZipFile(path).read(name).decode("utf-8", "replace")
        if path.suffix == ".xlsx"
        else path.read_text()
        for path in folder.rglob("*.*")
        for name in (zipfile.ZipFile(path).namelist() if path.suffix == ".xlsx" else [""])
    ]
    persons = {*sent["psn_no"], *(name for name in sent["psn_name"] if len(name) > 1)}

    assert not [p for p in persons for text in texts if p in text]
    assert {
        c.data_type
        for name in ("违规", "可疑")
        for row in openpyxl.load_workbook(own(folder))[name].iter_rows(min_row=HEAD + 1)
        for c in row
    } <= {"s", "n"}


def test_the_same_findings_give_the_same_bytes_whatever_the_processes_and_the_order(tmp_path):
    many = cases.findings(pooled.FEW + 2, 4)
    told, done = cases.letters(many), []
    first = write_letters(told, many, tmp_path / "a", processes=1)
    second = write_letters(
        told[::-1],
        many.sample(fraction=1, shuffle=True, seed=3),
        tmp_path / "b",
        2,
        lambda *at: done.append(at),
    )

    assert [p.relative_to(tmp_path / "a") for p in first] == [p.relative_to(tmp_path / "b") for p in second]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(first, second, strict=True))
    assert done[-1] == (len(told), len(told))


def test_a_digest_changes_with_what_is_sent_and_not_with_its_order(sent):
    shuffled = sent.sample(fraction=1, shuffle=True, seed=1)
    dearer = sent.with_columns(
        pl.when(finding_id="0" * 16).then(1).otherwise("limit_amt").cast(pl.Decimal(16, 2)).alias("limit_amt")
    )

    assert digest_of(sent) == digest_of(shuffled)
    assert {c for c, d in digest_of(dearer).items() if d != digest_of(sent)[c]} == {HOSPITAL}
    assert NO_FINDINGS not in digest_of(sent).values()


# ---- what comes back ----


def test_answers_come_back_with_their_cell_amount_and_signature(folder, tmp_path, judged, sent):
    def edit(book):
        sign(book)
        ws = book["违规"]
        put(ws, HEAD + 1, answer=AGREED)
        put(ws, HEAD + 2, answer=PARTLY, agreed_amt=3.5, reason="=部分有医嘱", attachments="医嘱单 2 份")
        put(ws, HEAD + 3, answer=DISPUTED, agreed_amt="0", reason="-见病程")

    path = filled(folder, tmp_path / "回复.xlsx", edit)
    result = judged(path)
    ids = [cell(openpyxl.load_workbook(path)["违规"], HEAD + n, "finding_id").value for n in (1, 2, 3)]
    limits = dict(sent.select("finding_id", "limit_amt").iter_rows())
    taken = {row["finding_id"]: row for row in result.taken.to_dicts()}

    assert result.refused.is_empty()
    assert set(taken) == set(ids)
    assert [taken[i]["agreed_amt"] for i in ids] == [limits[ids[0]], Decimal("3.50"), Decimal("0.00")]
    assert [taken[i]["answer"] for i in ids] == [AGREED, PARTLY, DISPUTED]
    assert taken[ids[1]]["reason"] == "=部分有医嘱"
    assert taken[ids[1]]["attachments"] == "医嘱单 2 份"
    assert taken[ids[0]]["place"] == f"违规!{letter_of('answer')}{HEAD + 1}"
    assert {(r["filled_by"], r["filled_on"], r["fixmedins_code"], r["file"]) for r in taken.values()} == {
        ("王小二", "2026-05-18", HOSPITAL, "回复.xlsx")
    }


def test_an_untouched_workbook_answers_nothing_and_has_no_fault(folder, judged):
    result = judged(own(folder), own(folder, name=CSV_FILE), own(folder, CLEAN))

    assert result.taken.is_empty()
    assert result.refused.is_empty()


def fill_csv(source, path, encoding="utf-8-sig", cells=None, changed=()):
    with source.open(encoding="utf-8-sig", newline="") as reader:
        rows = list(csv.DictReader(reader))
    for row in rows:
        row.update(cells or {"机构意见": AGREED})
    for number, values in changed:
        rows[number].update(values)
    with path.open("w", encoding=encoding, newline="") as writer:
        out = csv.DictWriter(writer, rows[0])
        out.writeheader()
        out.writerows(rows)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_csv_form_comes_back_in_any_encoding(folder, tmp_path, judged, encoding):
    values = {"机构意见": DISPUTED, "申诉理由": "有医嘱,\n见附件", "填报人": "李雷", "填报日期": "2026-05-18"}
    path = fill_csv(own(folder, name=CSV_FILE), tmp_path / "x.csv", encoding, values)

    result = judged(path)

    assert result.refused.is_empty()
    assert result.taken.height == 12
    assert set(result.taken["reason"]) == {"有医嘱,\n见附件"}
    assert set(result.taken["filled_by"]) == {"李雷"}
    assert result.taken["place"].sort().item(0).endswith(" 行 机构意见")


def test_a_csv_form_rewritten_by_a_spreadsheet_is_still_the_same(folder, tmp_path, judged):
    """Days with slashes, hours without zero, amounts without decimals, long ids rounded."""
    source = own(folder, name=CSV_FILE)
    with source.open(encoding="utf-8-sig", newline="") as reader:
        before = list(csv.DictReader(reader))
    changed = []
    for number, row in enumerate(before):
        day, _, hour = row["费用时间"].partition(" ")
        slashed = "/".join(str(int(part)) for part in day.split("-")) if day else ""
        changed.append((number, {
            "费用时间": f"{slashed} {hour.removeprefix('0')}".strip(),
            "数量": row["数量"].split(".")[0],
            "单价": row["单价"].rstrip("0"),
            "结算ID": f"{int(row['结算ID']):.5E}",
        }))  # fmt: skip
    path = fill_csv(source, tmp_path / "x.csv", changed=changed)

    result = judged(path)

    assert result.refused.is_empty()
    assert result.taken.height == 12


def test_a_line_id_that_lost_its_zeros_is_still_the_same_and_another_is_not(tmp_path, judged):
    padded = cases.findings(1, 2).with_columns(bkkp_sn=pl.lit("007"))
    told = cases.letters(padded)
    write_letters(told, padded, tmp_path, processes=1)
    changed = [(0, {"明细ID": "7"}), (1, {"明细ID": "70"})]

    path = fill_csv(own(tmp_path, name=CSV_FILE), tmp_path / "x.csv", changed=changed)
    result = judged(path, batches=cases.batches(told), against=padded)

    assert result.taken["place"].to_list() == ["第 2 行 机构意见"]
    assert codes_at(result.refused) == [("F06", "第 3 行 明细ID")]


def test_an_id_of_digits_is_marked_as_text_in_the_csv_form_and_comes_back(tmp_path, judged):
    odd = cases.findings(1, 2).with_columns(finding_id=pl.Series(["1234567890123456", "12345e7890123456"]))
    told = cases.letters(odd)
    write_letters(told, odd, tmp_path, processes=1)
    source = own(tmp_path, name=CSV_FILE)

    result = judged(fill_csv(source, tmp_path / "x.csv"), batches=cases.batches(told), against=odd)

    assert source.read_text("utf-8-sig").count("\n'12345") == 2
    assert set(result.taken["finding_id"]) == set(odd["finding_id"])


def test_a_csv_form_of_only_ids_and_answers_is_enough(folder, tmp_path, judged, told):
    mine = told[0]
    rows = [
        "疑点号,机构意见,机构编码,通知号,校验码",
        f"{0:016x},认可,{HOSPITAL},{mine.notice_no},{mine.digest}",
    ]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(rows), encoding="utf-8")

    result = judged(path)

    assert result.refused.is_empty()
    assert result.taken["finding_id"].to_list() == ["0" * 16]


def test_an_english_workbook_is_answered_in_english(tmp_path, judged, sent):
    told = cases.letters(sent, lang="en")
    write_letters(told, sent, tmp_path, processes=1)

    def edit(book):
        ws = book["Violations"]
        put(ws, HEAD + 1, answer="agreed")
        put(ws, HEAD + 2, answer="Partly agreed", agreed_amt=1, reason="part of it")
        put(ws, HEAD + 3, answer="disputed", reason="no", vola_cont="something else")

    result = judged(filled(tmp_path, tmp_path / "x.xlsx", edit))

    assert sorted(result.taken["answer"]) == sorted([AGREED, PARTLY])
    assert codes_at(result.refused) == [("F06", f"Violations!{letter_of('vola_cont')}{HEAD + 3}")]


def test_a_workbook_saved_by_another_office_program_is_read_and_taken(folder, tmp_path, judged, sent):
    """A real headless office program opens, recalculates and saves a filled workbook."""
    office = shutil.which("soffice")
    if office is None:
        if os.environ.get("CI"):
            pytest.fail("soffice is missing; it must be there when CI is set")
        pytest.skip("soffice (LibreOffice) is not installed")

    def edit(book):
        sign(book)
        answer_all(book, PARTLY, agreed_amt=1.25, reason="第一行\n第二行", attachments="00123")

    source = filled(folder, tmp_path / "回复.xlsx", edit)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [office, profile, "--headless", "--convert-to", "xlsx", "--outdir", tmp_path / "saved", source]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    mine = sent.filter(fixmedins_code=HOSPITAL)

    result = judged(tmp_path / "saved" / "回复.xlsx")

    assert result.refused.is_empty()
    assert set(result.taken["finding_id"]) == set(mine["finding_id"])
    assert set(
        result.taken.select("agreed_amt", "reason", "attachments", "filled_by", "filled_on").iter_rows()
    ) == {(Decimal("1.25"), "第一行\n第二行", "00123", "王小二", "2026-05-18")}


TEXT = (
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=30)
    .map(str.strip)
    .filter(lambda text: text and "_x" not in text)
)


@st.composite
def an_answer(draw, limit):
    answer = draw(st.sampled_from([None, AGREED, PARTLY, DISPUTED]))
    if answer is None:
        return None
    fen = int(limit * 100)
    amount = {
        AGREED: draw(st.sampled_from([None, limit])),
        PARTLY: Decimal(draw(st.integers(1, max(fen - 1, 1)))).scaleb(-2),
        DISPUTED: draw(st.sampled_from([None, Decimal("0.00")])),
    }[answer]
    reason = draw(st.none() | TEXT) if answer == AGREED else draw(TEXT)
    return answer, amount, reason, draw(st.none() | TEXT)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), as_csv=st.booleans())
def test_whatever_is_filled_in_comes_back_exactly(folder, tmp_path, judged, sent, data, as_csv):
    mine = sent.filter(fixmedins_code=HOSPITAL).select("finding_id", "limit_amt")
    given_answers = {i: data.draw(an_answer(limit), label=i) for i, limit in mine.iter_rows()}

    def edit(book):
        for name in ("违规", "可疑"):
            for row in range(HEAD + 1, book[name].max_row + 1):
                values = given_answers[cell(book[name], row, "finding_id").value]
                if values:
                    put(book[name], row, **dict(zip(keys(ANSWERS), values, strict=True)))

    if as_csv:
        path = csv_of(own(folder, name=CSV_FILE), tmp_path / "x.csv", given_answers)
    else:
        path = filled(folder, tmp_path / "x.xlsx", edit)
    result = judged(path)

    assert result.refused.is_empty(), result.refused.to_dicts()
    limits = dict(mine.iter_rows())
    assert {row[0]: row[1:] for row in result.taken.select("finding_id", *keys(ANSWERS)).iter_rows()} == {
        i: (a, {AGREED: limits[i], PARTLY: amount, DISPUTED: Decimal("0.00")}[a], reason, files)
        for i, values in given_answers.items()
        if values
        for a, amount, reason, files in [values]
    }


def csv_of(source, path, answers):
    with source.open(encoding="utf-8-sig", newline="") as reader:
        order = [row["疑点号"].removeprefix("'") for row in csv.DictReader(reader)]
    headers = ("机构意见", "认可金额", "申诉理由", "佐证材料")
    changed = [
        (order.index(i), dict(zip(headers, ("" if v is None else str(v) for v in values), strict=True)))
        for i, values in answers.items()
        if values
    ]
    return fill_csv(source, path, cells={"机构意见": ""}, changed=changed)


# ---- what is refused, and where ----

ID, AMOUNT = "finding_id", "agreed_amt"
# name, cells of the first row of the sheet of violations, the faults as code and column
ROW_FAULTS = (
    ("an unknown finding id", {"answer": AGREED, ID: "ffff000000000000"}, [("F04", ID)]),
    ("an empty finding id", {"answer": AGREED, ID: None}, [("F04", ID)]),
    ("another institution's finding", {"answer": AGREED, ID: f"{12:016x}"}, [("F05", ID)]),
    ("an altered amount", {"answer": AGREED, "limit_amt": 1.0}, [("F06", "limit_amt")]),
    ("an altered text", {"answer": AGREED, "vola_cont": "没有问题"}, [("F06", "vola_cont")]),
    ("an emptied cell", {"answer": AGREED, "setl_id": None}, [("F06", "setl_id")]),
    ("another last digit", {"answer": AGREED, "setl_id": "130020260400000007"}, [("F06", "setl_id")]),
    ("another day", {"answer": AGREED, "visit": "2026-04-03 ~ 2026-04-10"}, [("F06", "visit")]),
    (
        "two altered cells",
        {"answer": AGREED, "med_type": "x", "basis": "y"},
        [("F06", "med_type"), ("F06", "basis")],
    ),
    ("an answer of one's own", {"answer": "同意吧"}, [("F08", "answer")]),
    ("a reason without an answer", {"reason": "有医嘱"}, [("F08", "answer")]),
    ("an amount in words", {"answer": AGREED, AMOUNT: "全部"}, [("F09", AMOUNT)]),
    ("three decimals", {"answer": PARTLY, AMOUNT: 1.005, "reason": "r"}, [("F09", AMOUNT)]),
    ("above the finding", {"answer": PARTLY, AMOUNT: 9999.0, "reason": "r"}, [("F10", AMOUNT)]),
    ("agreed but less", {"answer": AGREED, AMOUNT: 0.01}, [("F11", AMOUNT)]),
    ("partly but no amount", {"answer": PARTLY, "reason": "r"}, [("F11", AMOUNT)]),
    ("partly but nothing", {"answer": PARTLY, AMOUNT: 0, "reason": "r"}, [("F11", AMOUNT)]),
    ("a negative part", {"answer": PARTLY, AMOUNT: -1, "reason": "r"}, [("F11", AMOUNT)]),
    ("disputed but an amount", {"answer": DISPUTED, AMOUNT: 0.01, "reason": "r"}, [("F11", AMOUNT)]),
    ("disputed without a reason", {"answer": DISPUTED, "reason": "  "}, [("F12", "reason")]),
    (
        "every fault of a row",
        {"answer": PARTLY, AMOUNT: "x", "rule_id": "Z99"},
        [("F06", "rule_id"), ("F09", AMOUNT), ("F12", "reason")],
    ),
)


@pytest.mark.parametrize(("cells", "expected"), [c[1:] for c in ROW_FAULTS], ids=[c[0] for c in ROW_FAULTS])
def test_a_faulty_row_is_refused_at_its_cell_and_the_rest_is_taken(folder, tmp_path, judged, cells, expected):
    def edit(book):
        answer_all(book)
        put(book["违规"], HEAD + 1, answer=None)
        put(book["违规"], HEAD + 1, **cells)

    result = judged(filled(folder, tmp_path / "x.xlsx", edit))

    assert codes_at(result.refused) == [(code, f"违规!{letter_of(key)}{HEAD + 1}") for code, key in expected]
    assert result.taken.height == 11


def test_the_whole_and_the_limit_itself_fit(folder, tmp_path, judged, sent):
    limits = dict(sent.select("finding_id", "limit_amt").iter_rows())

    def edit(book):
        ws = book["违规"]
        limit = limits[cell(ws, HEAD + 1, "finding_id").value]
        put(ws, HEAD + 1, answer=AGREED, agreed_amt=float(limit))
        limit = limits[cell(ws, HEAD + 2, "finding_id").value]
        put(ws, HEAD + 2, answer=PARTLY, agreed_amt=float(limit - Decimal("0.01")), reason="r")
        limit = limits[cell(ws, HEAD + 3, "finding_id").value]
        put(ws, HEAD + 3, answer=PARTLY, agreed_amt=float(limit), reason="r")
        put(ws, HEAD + 4, answer=PARTLY, agreed_amt="\uff11\uff0e\uff15\uff10 元", reason="r")

    result = judged(filled(folder, tmp_path / "x.xlsx", edit))

    assert result.taken.height == 3
    assert Decimal("1.50") in result.taken["agreed_amt"].to_list()
    assert codes_at(result.refused) == [("F11", f"违规!{letter_of('agreed_amt')}{HEAD + 3}")]


def test_an_altered_cell_says_what_was_and_what_is(folder, tmp_path, judged):
    def edit(book):
        put(book["违规"], HEAD + 1, answer=AGREED, det_item_fee_sumamt=99, person="张三丰 110101")

    refused = judged(filled(folder, tmp_path / "x.xlsx", edit)).refused.to_dicts()

    assert refused[1]["message_zh"] == "锁定单元格“金额”被改动:原为 24.44,现为 99;该行未登记"
    assert refused[1]["value"] == "99"
    assert "张三丰" not in str(refused)


def test_a_finding_twice_in_one_file_is_refused_both_times(folder, tmp_path, judged):
    def edit(book):
        ws = book["违规"]
        for key in COLUMNS:
            cell(ws, HEAD + 2, key).value = cell(ws, HEAD + 1, key).value
        put(ws, HEAD + 1, answer=AGREED)
        put(ws, HEAD + 2, answer=AGREED)

    result = judged(filled(folder, tmp_path / "x.xlsx", edit))

    assert codes_at(result.refused) == [("F07", f"违规!A{HEAD + 1}"), ("F07", f"违规!A{HEAD + 2}")]
    assert result.taken.is_empty()


def test_two_files_that_say_the_same_are_taken_once_and_ones_that_differ_not_at_all(folder, tmp_path, judged):
    first = filled(folder, tmp_path / "a.xlsx", lambda book: put(book["违规"], HEAD + 1, answer=AGREED))
    source = own(folder, name=CSV_FILE)
    same = fill_csv(source, tmp_path / "b.csv", cells={"机构意见": ""}, changed=[(0, {"机构意见": AGREED})])
    other = fill_csv(
        source,
        tmp_path / "c.csv",
        cells={"机构意见": ""},
        changed=[(0, {"机构意见": DISPUTED, "申诉理由": "r"})],
    )

    once, never = judged(first, same), judged(first, other)

    assert once.taken["file"].to_list() == ["a.xlsx"]
    assert once.refused.is_empty()
    assert never.taken.is_empty()
    assert codes_at(never.refused) == [("F07", f"违规!A{HEAD + 1}"), ("F07", "第 2 行 疑点号")]


def test_answering_for_another_does_not_spoil_the_others_answer(folder, tmp_path, judged, sent):
    theirs = sent.filter(fixmedins_code=OTHER)["finding_id"].to_list()

    def edit(book):
        put(book["违规"], HEAD + 1, answer=DISPUTED, reason="r", finding_id=theirs[0])

    wrong = filled(folder, tmp_path / "wrong.xlsx", edit)
    right = filled(folder, tmp_path / "right.xlsx", answer_all, OTHER)

    result = judged(wrong, right)

    assert result.refused["code"].to_list() == ["F05"]
    assert set(result.taken["finding_id"]) == set(theirs)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"digest": "0" * 64}, "F02"),
        ({"digest": "0" * 64, "notice_no": "FK202603-0000"}, "F03"),
        ({"fixmedins_code": "H999999999999"}, "F03"),
    ],
    ids=["another digest under this notice", "last month's notice", "an institution without a batch"],
)
def test_another_workbook_is_refused_as_a_whole(folder, tmp_path, judged, sent, changes, code):
    mine = [replace(one, **changes) for one in cases.letters(sent) if one.fixmedins_code == HOSPITAL]
    write_letters(
        mine, sent.with_columns(fixmedins_code=pl.lit(mine[0].fixmedins_code)), tmp_path, processes=1
    )
    path = filled(tmp_path, tmp_path / "x.xlsx", answer_all, mine[0].fixmedins_code)

    result = judged(path, own(folder, OTHER))

    assert codes_at(result.refused) == [(code, "")]
    assert "36 条" in result.refused["message_zh"].item()
    assert result.taken.is_empty()


def test_a_file_without_a_check_code_is_not_taken(folder, tmp_path, judged):
    def edit(book):
        answer_all(book)
        del book["_settle"], book["说明"]

    assert codes_at(judged(filled(folder, tmp_path / "x.xlsx", edit)).refused) == [("F02", "")]


def test_an_institution_answers_only_for_itself(folder, tmp_path, judged):
    path = filled(folder, tmp_path / "x.xlsx", answer_all)

    assert judged(path, only=HOSPITAL).taken.height == 12
    assert judged(path, only=OTHER).taken.is_empty()
    assert codes_at(judged(path, only=OTHER).refused) == [("F03", "")]


@pytest.mark.parametrize(
    ("state", "today", "code"),
    [
        ("FEEDBACK", cases.ANSWER_BY, None),
        ("FEEDBACK", cases.ANSWER_BY + dt.timedelta(1), "F14"),
        ("REVIEW", cases.TODAY, "F13"),
        ("CLOSED", cases.ANSWER_BY + dt.timedelta(9), "F13"),
        ("HOLD", cases.TODAY, "F13"),
    ],
)
def test_answers_are_taken_to_the_last_day_of_the_window_and_listed_after_it(
    folder, tmp_path, judged, told, state, today, code
):
    path = filled(folder, tmp_path / "x.xlsx", answer_all)

    result = judged(path, batches=cases.batches(told, state), today=today)

    assert result.taken.height == (0 if code else 12)
    assert result.refused["code"].to_list() == ([code] * 12 if code else [])


# ---- files nobody should send ----


def _zip(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _with_member(folder, path, name, content):
    shutil.copy(own(folder), path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)


def _no_header(book):
    for name in ("违规", "可疑"):
        answer_all(book)
        cell(book[name], HEAD, "finding_id").value = "编号"


def _far(book):
    book["违规"].cell(1_048_576, 1200).value = "x"


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
HOSTILE = {
    "a text called xlsx": lambda f, p: p.with_suffix(".xlsx").write_text("疑点号,机构意见"),
    "empty": lambda f, p: p.with_suffix(".xlsx").write_bytes(b""),
    "empty csv": lambda f, p: p.with_suffix(".csv").write_text("\n"),
    "with a password": lambda f, p: p.with_suffix(".xlsx").write_bytes(OLE + b"\0" * 600),
    "half of a workbook": lambda f, p: p.with_suffix(".xlsx").write_bytes(own(f).read_bytes()[:3000]),
    "a zip that is no workbook": lambda f, p: _zip(p.with_suffix(".xlsx"), **{"a.txt": "x"}),
    "a zip bomb": lambda f, p: _with_member(f, p.with_suffix(".xlsx"), "xl/media/x.bin", b"\0" * (80 << 20)),
    "macros": lambda f, p: _with_member(f, p.with_suffix(".xlsx"), "xl/vbaProject.bin", b"x"),
    "a workbook with a macro suffix": lambda f, p: shutil.copy(own(f), p.with_suffix(".xlsm")),
    "an old workbook": lambda f, p: p.with_suffix(".xls").write_bytes(OLE),
    "a picture": lambda f, p: p.with_suffix(".png").write_bytes(b"\x89PNG"),
    "no header": lambda f, p: filled(f, p.with_suffix(".xlsx"), _no_header),
    "a sheet without end": lambda f, p: filled(f, p.with_suffix(".xlsx"), _far),
    "two million rows": lambda f, p: p.with_suffix(".csv").write_text("疑点号,机构意见" + "\na," * 2_000_000),
    "an open quote": lambda f, p: p.with_suffix(".csv").write_text('疑点号,机构意见\na,"认可\nb,认可\n'),
    "utf-16": lambda f, p: p.with_suffix(".csv").write_text("疑点号,机构意见\n", encoding="utf-16"),
    "a csv of something else": lambda f, p: p.with_suffix(".csv").write_text("a,b\n1,2\n"),
    "a folder": lambda f, p: p.with_suffix(".xlsx").mkdir(),
    "gone": lambda f, p: None,
}  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_a_problem_and_harms_no_other(folder, tmp_path, judged, make):
    bad = tmp_path / "bad"
    make(folder, bad)
    path = next(iter(tmp_path.glob("bad*")), tmp_path / "bad.xlsx")
    good = filled(folder, tmp_path / "good.xlsx", answer_all)

    result = judged(path, good)

    assert set(result.refused.select("file", "code").iter_rows()) == {(path.name, "F01")}
    assert result.taken.height == 12


def test_one_sheet_that_lost_its_header_is_told_and_the_other_is_taken(folder, tmp_path, judged):
    def edit(book):
        answer_all(book)
        cell(book["可疑"], HEAD, "answer").value = "意见如下"

    result = judged(filled(folder, tmp_path / "x.xlsx", edit))

    assert codes_at(result.refused) == [("F01", "可疑")]
    assert result.taken.height == 8


def test_merged_answers_are_told_and_none_of_their_rows_is_taken(folder, tmp_path, judged):
    def edit(book):
        answer_all(book)
        at = letter_of("answer")
        book["违规"].merge_cells(f"{at}{HEAD + 2}:{at}{HEAD + 4}")

    result = judged(filled(folder, tmp_path / "x.xlsx", edit))

    at = letter_of("answer")
    assert codes_at(result.refused) == [("F15", f"违规!{at}{HEAD + 2}:{at}{HEAD + 4}")]
    assert result.taken.height == 9


def test_places_stay_exact_when_rows_and_columns_are_put_in_front(folder, tmp_path, judged):
    def edit(book):
        ws = book["违规"]
        put(ws, HEAD + 1, answer="?")
        ws.insert_rows(1, 2)
        ws.insert_cols(1, 2)

    refused = judged(filled(folder, tmp_path / "x.xlsx", edit)).refused

    at = openpyxl.utils.get_column_letter(COLUMNS.index("answer") + 3)
    assert codes_at(refused) == [("F08", f"违规!{at}{HEAD + 3}")]


def test_odd_texts_of_the_claims_go_out_and_come_back_unaltered(tmp_path, judged):
    """Markup, control characters, a list of related rows longer than a cell, text like a formula."""
    odd = ["<r>&amp;</r>", "a\x01b\tc", " 前后 有空 ", "'=1", "2026-04-03 00:00:00", "0012", "1e5"]
    sent = cases.findings(1, len(odd)).with_columns(
        hilist_name=pl.Series(odd), related=pl.lit("13100000002900040/001;" * 3_000)
    )
    told = cases.letters(sent)
    write_letters(told, sent, tmp_path, processes=1)

    book = judged(
        filled(tmp_path, tmp_path / "x.xlsx", answer_all), batches=cases.batches(told), against=sent
    )
    form = fill_csv(own(tmp_path, name=CSV_FILE), tmp_path / "x.csv")
    text = judged(form, batches=cases.batches(told), against=sent)

    assert book.refused.is_empty(), book.refused.to_dicts()
    assert text.refused.is_empty(), text.refused.to_dicts()
    assert book.taken.height == text.taken.height == len(odd)


def test_nothing_at_all_is_no_fault(judged, told):
    result = judged(batches=cases.batches(told).clear())

    assert result.taken.is_empty()
    assert result.refused.is_empty()


def test_files_of_one_name_are_told_apart(folder, judged):
    read = read_replies([own(folder), own(folder, OTHER), own(folder)])

    assert read.files["file"].to_list() == [f"{HOSPITAL}/{FILE}", f"{OTHER}/{FILE}"]


def test_every_code_has_its_words_and_is_tested():
    assert list(REASONS) == [f"F{n:02d}" for n in range(1, 16)]
    assert all(r.zh and r.en and r.action and r.action_en for r in REASONS.values())
    assert {column.key for column in sheet_columns("en")} == set(COLUMNS)
    for lang in ("zh", "en"):
        assert len({column.header for column in sheet_columns(lang)}) == len(COLUMNS)
