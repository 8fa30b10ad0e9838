"""What the bank answers: read in any usual form, matched once, contradictions left to a person."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.disbursement import orders, receipt
from tests import hostile
from tests.test_disbursement import (
    ACCOUNTS,
    CLR_YM,
    H1,
    H2,
    ORDERED,
    P1,
    REGION,
    RESULT,
    institution,
    institutions,
    lines,
    yuan,
)  # fmt: skip

# what the bank says

HEAD = "业务号,结果,失败原因,交易时间"
DAY = dt.date(2026, 5, 20)
MIDNIGHT, NOON = (dt.datetime.combine(DAY, dt.time(hour)) for hour in (0, 12))


def answered(*rows: tuple) -> pl.DataFrame:
    """Rows of a return file: row, business number, result, then reason, time, amount when given."""
    full = [(*row, *("", NOON, None)[len(row) - 3 :]) for row in rows]
    names = ("row", "business_no", "result", "reason", "trade_time", "amount")
    return pl.DataFrame(full, schema={name: receipt.ROWS[name] for name in names}, orient="row").select(
        *receipt.ROWS
    )


def returned(tmp_path: Path, text: str, encoding: str = "utf-8", name: str = "回单.csv") -> tuple:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return receipt.read_receipt(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("comma", [",", "\t", "|"])
def test_a_return_file_is_read_in_any_usual_form(tmp_path: Path, encoding: str, comma: str) -> None:
    text = f"{HEAD},金额\r\nYB01,成功,,2026-05-20 12:00:00,797716.06\r\nYB02,失败,账号与户名不符,,20000\r\n"
    rows, problems = returned(tmp_path, text.replace(",", comma), encoding)

    assert problems.is_empty()
    assert rows.rows() == [
        (2, "YB01", "PAID", "", NOON, yuan("797716.06")),
        (3, "YB02", "FAILED", "账号与户名不符", None, yuan("20000.00")),
    ]


@pytest.mark.parametrize("said", sorted(receipt.SAID))
def test_every_way_of_saying_it_is_understood(tmp_path: Path, said: str) -> None:
    for text in (said, said.upper(), f" {said} "):
        rows, problems = returned(tmp_path, f"{HEAD}\nYB01,{text},,\n")
        assert (rows["result"].to_list(), problems.height) == ([receipt.SAID[said]], 0)


@pytest.mark.parametrize("said", ["处理中", "", "0", "1", "01", "成功?", "未成功", "9999"])
def test_what_says_neither_is_a_problem_and_not_a_result(tmp_path: Path, said: str) -> None:
    rows, problems = returned(tmp_path, f"{HEAD}\nYB01,{said},,\nYB02,成功,,\n")

    assert rows["business_no"].to_list() == ["YB02"]
    assert problems.select("row", "column", "value").rows() == [(2, "结果", said)]
    assert "第 2 行" in problems["words"][0]


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        ("2026-05-20 12:00:00", NOON),
        ("2026/05/20 12:00:00", NOON),
        ("20260520120000", NOON),
        ("20260520 12:00:00", NOON),
        ("2026-05-20T12:00:00", NOON),
        ("2026-05-20 12:00:00.0", NOON),
        ("2026-05-20 12:00", NOON),
        ("2026-05-20", MIDNIGHT),
        ("20260520", MIDNIGHT),
        ("2026/05/20", MIDNIGHT),
        ("", None),
    ],
)
def test_times_are_read_as_banks_write_them(tmp_path: Path, cell: str, time: dt.datetime | None) -> None:
    rows, problems = returned(tmp_path, f"{HEAD}\nYB01,成功,,{cell}\n")

    assert (rows["trade_time"].to_list(), problems.height) == ([time], 0)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (",成功,,,1.00", "业务号"),
        ("YB01,成功,,昨天,1.00", "交易时间"),
        ("YB01,成功,,2026-02-30,1.00", "交易时间"),
        ("YB01,成功,,,1.005", "金额"),
        ("YB01,成功,,,-1.00", "金额"),
        ("YB01,成功,,,一元", "金额"),
        ("YB01,失败,余额不足,请核对,,1.00", "交易时间"),
    ],
)
def test_a_row_with_a_bad_cell_is_listed_and_not_used(tmp_path: Path, line: str, column: str) -> None:
    rows, problems = returned(tmp_path, f"{HEAD},金额\n{line}\nYB02,成功,,,2.00\n")

    assert rows["business_no"].to_list() == ["YB02"]
    assert column in problems["column"].to_list()
    assert set(problems["row"]) == {2}


@pytest.mark.parametrize(
    ("cell", "amount"), [('"1,234.50"', "1234.50"), ("¥1234.5", "1234.50"), ("7.1000", "7.10")]
)
def test_amounts_are_read_as_banks_write_them(tmp_path: Path, cell: str, amount: str) -> None:
    rows, _ = returned(tmp_path, f"{HEAD},交易金额\nYB01,成功,,,{cell}\n")

    assert rows["amount"].to_list() == [yuan(amount)]


def test_titles_blank_lines_and_other_names_of_columns(tmp_path: Path) -> None:
    titles = "示例银行批量付款回单\n日期:2026-05-20\n\n"
    text = f"{titles}柜员,业务编号,备注,Status,入账时间\nx,yb01,好,成功,20260520\n,,,,\n"
    rows, problems = returned(tmp_path, text)

    assert problems.is_empty()
    assert rows.select("row", "business_no", "result").rows() == [(5, "YB01", "PAID")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "业务号"),
        ("\xff\xfe\x00", "无法读取"),
        ("序号,金额\n1,2\n", "业务号"),
        ("业务号,金额\nYB01,2\n", "结果"),
        ("PK\x03\x04 broken", "无法读取"),
    ],
)
def test_what_is_no_return_file_says_so_and_gives_no_rows(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / ("回单.xlsx" if text.startswith("PK") else "回单.csv")
    path.write_bytes(text.encode("latin-1") if text.startswith("\xff") else text.encode())
    rows, problems = receipt.read_receipt(path)

    assert rows.is_empty()
    assert problems["row"].to_list() == [0]
    assert said in problems["words"][0]


def workbook(path: Path, table_rows: list[list], far: bool = False) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("回单")
        stamp = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for at, cells in enumerate(table_rows):
            for column, value in enumerate(cells):
                if isinstance(value, dt.datetime):
                    sheet.write_datetime(at, column, value, stamp)
                else:
                    sheet.write(at, column, value)
        if far:
            sheet.write(1_000_000, 16_000, "x")
    return path


def test_a_workbook_is_read_like_a_text_file(tmp_path: Path) -> None:
    rows = [
        ["示例银行回单"],
        [],
        [*HEAD.split(","), "金额"],
        ["YB01", "成功", None, NOON, 797716.06],
        ["YB02", "失败", "退", "", 20000],
    ]
    got, problems = receipt.read_receipt(workbook(tmp_path / "回单.xlsx", rows))

    assert problems.is_empty()
    assert got.rows() == [
        (4, "YB01", "PAID", "", NOON, yuan("797716.06")), (5, "YB02", "FAILED", "退", None, yuan("20000.00")),
    ]  # fmt: skip


def test_a_workbook_with_a_cell_far_out_is_not_laid_out(tmp_path: Path) -> None:
    got, problems = receipt.read_receipt(workbook(tmp_path / "回单.xlsx", [HEAD.split(",")], far=True))

    assert (got.height, problems["row"].to_list()) == (0, [0])


@pytest.mark.parametrize(
    ("spoil", "said"), [(hostile.bomb, "未读取"), (hostile.damage, "无法读取")], ids=["bomb", "damaged"]
)
def test_a_hostile_workbook_is_a_problem_of_the_file(tmp_path: Path, spoil: Any, said: str) -> None:
    path = workbook(tmp_path / "回单.xlsx", [HEAD.split(","), *[["YB01", "成功"]] * 50])
    spoil(path)
    got, problems = receipt.read_receipt(path)

    assert (got.height, problems["row"].to_list()) == (0, [0])
    assert said in problems["words"][0]


# matching

WRITTEN = pl.DataFrame(
    [(H1, "310100", 1, "YB1", yuan("10.00")), (H2, "310100", 1, "YB2", yuan("20.00")),
     (P1, "310100", 1, "YB3", yuan("30.00"))],
    schema=ORDERED, orient="row",
)  # fmt: skip
KINDS = ("paid", "failed", "unknown", "repeated", "conflicting")


def matched(*rows: tuple, held: tuple[tuple[str, str], ...] = ()) -> dict[str, list]:
    got = receipt.match(answered(*rows), WRITTEN, pl.DataFrame(held, schema=RESULT, orient="row"))
    return {kind: getattr(got, kind)["row"].to_list() for kind in KINDS if getattr(got, kind).height}


def test_each_row_goes_where_it_belongs() -> None:
    got = receipt.match(
        answered(
            (2, "YB1", "PAID", "", NOON, yuan("10.00")), (3, "YB2", "FAILED", "户名不符"), (4, "YB9", "PAID")
        ),
        WRITTEN,
        pl.DataFrame(schema=RESULT),
    )

    assert got.paid.select("row", "fixmedins_code", "fund_pay_type", "order_amount").rows() == [
        (2, H1, "310100", yuan("10.00"))
    ]
    assert got.failed["words"].to_list() == ["第 3 行:YB2 拨付失败(户名不符)。改正后可再次拨付。"]
    assert got.unknown["words"][0].startswith("第 4 行:没有业务号为 YB9")
    assert (got.repeated.height, got.conflicting.height) == (0, 0)


@pytest.mark.parametrize(
    ("rows", "held", "expected"),
    [
        # the same again, in the file or recorded, has no effect
        ([(2, "YB1", "PAID"), (3, "YB1", "PAID")], (), {"paid": [2], "repeated": [3]}),
        ([(2, "YB1", "PAID")], (("YB1", "PAID"),), {"repeated": [2]}),
        ([(2, "YB1", "FAILED"), (3, "YB1", "FAILED")], (("YB1", "FAILED"),), {"repeated": [2, 3]}),
        # a contradiction is recorded neither way
        ([(2, "YB1", "PAID"), (3, "YB1", "FAILED")], (), {"conflicting": [2, 3]}),
        ([(2, "YB1", "FAILED")], (("YB1", "PAID"),), {"conflicting": [2]}),
        ([(2, "YB1", "PAID")], (("YB1", "FAILED"),), {"conflicting": [2]}),
        ([(2, "YB1", "PAID"), (3, "YB1", "FAILED")], (("YB1", "PAID"),),
         {"repeated": [2], "conflicting": [3]}),
        # another amount than was ordered
        ([(2, "YB1", "PAID", "", NOON, yuan("10.01"))], (), {"conflicting": [2]}),
        ([(2, "YB1", "PAID", "", NOON, yuan("10.01"))], (("YB1", "PAID"),), {"conflicting": [2]}),
        ([(2, "YB1", "PAID", "", NOON, yuan("10.00")), (3, "YB1", "PAID", "", NOON, yuan("9.99"))], (),
         {"conflicting": [2, 3]}),
        # one bad row leaves the others alone
        ([(2, "YB1", "PAID", "", NOON, yuan("1.00")), (3, "YB2", "PAID")], (),
         {"paid": [3], "conflicting": [2]}),
    ],
)  # fmt: skip
def test_repeats_have_no_effect_and_contradictions_are_set_apart(
    rows: list[tuple], held: tuple[tuple[str, str], ...], expected: dict
) -> None:
    assert matched(*rows, held=held) == expected


def test_the_words_of_a_conflict_say_what_differs() -> None:
    said = pl.DataFrame([("YB2", "PAID")], schema=RESULT, orient="row")
    rows = answered(
        (2, "YB1", "PAID", "", NOON, yuan("10.01")),
        (3, "YB2", "FAILED"),
        (4, "YB3", "PAID"),
        (5, "YB3", "FAILED"),
    )
    zh = receipt.match(rows, WRITTEN, said).conflicting["words"].to_list()
    en = receipt.match(rows, WRITTEN, said, "en").conflicting["words"].to_list()

    assert "金额为 10.01 元,指令为 10.00 元" in zh[0]
    assert "已登记为成功,回单为失败" in zh[1]
    assert "各行不一致(本行:成功)" in zh[2]
    assert "recorded as paid, this file says failed" in en[1]


ROW = st.tuples(
    st.sampled_from(["YB1", "YB2", "YB3", "YB9"]),
    st.sampled_from(["PAID", "FAILED"]),
    st.sampled_from(["", "a", "b"]),
    st.sampled_from([NOON, None]),
    st.sampled_from([None, yuan("10.00"), yuan("20.00")]),
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(ROW, max_size=10), st.sets(st.sampled_from(["YB1", "YB2"])), st.randoms(use_true_random=False)
)
def test_matching_does_not_depend_on_the_order_of_rows(rows: list, held: set[str], random: object) -> None:
    said = pl.DataFrame([(n, "PAID") for n in sorted(held)], schema=RESULT, orient="row")
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found = []
    for given_rows in (rows, shuffled):
        got = receipt.match(answered(*((n, *row) for n, row in enumerate(given_rows, 2))), WRITTEN, said)
        parts = {kind: getattr(got, kind).drop("row", "words") for kind in KINDS}
        found.append({kind: sorted(part.rows(), key=str) for kind, part in parts.items()})
        recorded = [n for kind in ("paid", "failed") for n in parts[kind]["business_no"]]
        assert sum(part.height for part in parts.values()) == len(rows)
        assert len(set(recorded)) == len(recorded)
        assert not set(recorded) & held
    assert found[0] == found[1]


def test_a_file_read_again_after_it_was_recorded_changes_nothing(tmp_path: Path) -> None:
    rows, _ = returned(tmp_path, f"{HEAD}\nYB1,成功,,\nYB2,失败,户名不符,\n")
    first = receipt.match(rows, WRITTEN, pl.DataFrame(schema=RESULT))
    said = pl.concat([first.paid.select(*RESULT), first.failed.select(*RESULT)])
    second = receipt.match(rows, WRITTEN, said)

    assert (first.paid.height, first.failed.height) == (1, 1)
    assert second.repeated["business_no"].to_list() == ["YB1", "YB2"]
    assert second.paid.is_empty()
    assert second.failed.is_empty()


# a whole life of orders and answers

STEP = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["PAID", "FAILED"])), max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 500_000), min_size=1, max_size=6), st.lists(STEP, max_size=5))
def test_orders_never_exceed_the_statement(fen: list[int], rounds: list[list[tuple[int, str]]]) -> None:
    codes = [f"H{n:011d}" for n in range(len(fen))]
    due = lines(*((c, "310100", str(Decimal(f) / 100)) for c, f in zip(codes, fen, strict=True)))
    known = institutions(*(institution(c) for c in codes))
    written, said = pl.DataFrame(schema=ORDERED), pl.DataFrame(schema=RESULT)
    for answers in rounds:
        free = orders.outstanding(due, written, said)
        made = orders.payables(free, known, ACCOUNTS, free, REGION, CLR_YM)
        written = pl.concat([written, made.select(*ORDERED)])
        open_numbers = written.join(said, on="business_no", how="anti")["business_no"].sort().to_list()
        rows = [(n, open_numbers[at], r) for n, (at, r) in enumerate(answers) if at < len(open_numbers)]
        got = receipt.match(answered(*rows), written, said)
        said = pl.concat([said, *(part.select(*RESULT) for part in (got.paid, got.failed))])
        live = written.join(said.filter(pl.col("result") == "FAILED"), on="business_no", how="anti")
        per_line = live.group_by("fixmedins_code").agg(pl.col("amount").sum()).join(due, on="fixmedins_code")
        assert (per_line["amount"] <= per_line["act_dfr_amt"]).all()
        assert said["business_no"].is_unique().all()
        assert written["business_no"].is_unique().all()
