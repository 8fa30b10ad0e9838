"""Ledgers: every book rolls forward, every vector of the monthly net ends in the right book."""

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.layout import table
from schemas.results import ClearingFund, Payment
from settlement import ledger, payment, policy
from settlement.errors import InvariantBroken, PolicyError, ReferenceError
from settlement.ledger import ADVANCE, CARRY, DEFERRED, DEPOSIT, PRIOR
from settlement.money import round_half_up

MONTH, DAY = dt.date(2026, 4, 1), dt.date(2026, 12, 31)
PROFILE = policy.load("langfang")
MONEY = pl.Decimal(16, 2)
ENTRIES = {**ledger.ENTRY, "seq": pl.Int64, "opening_amt": MONEY, "closing_amt": MONEY}
PLAN = {"fixmedins_code": pl.String, "fund_pay_type": pl.String, "amount": MONEY, "months": pl.Int64,
        "first_ym": pl.String}  # fmt: skip
NO_PLANS = pl.DataFrame(schema=PLAN)
H, P, POOL, RESIDENTS = "H13100000001", "P13100000006", "310100", "390100"


def yuan(text: str) -> Decimal:
    return Decimal(text)


def entries(*rows: tuple[str, str, str, str, str]) -> pl.DataFrame:
    """Entries of (institution, fund, book, plus, minus), each in its place in the chain."""
    full = [(c, f, b, "x", yuan(plus), yuan(minus)) for c, f, b, plus, minus in rows]
    return ledger.continued(
        pl.DataFrame(schema=ENTRIES), pl.DataFrame(full, schema=ledger.ENTRY, orient="row")
    )


def plans(*rows: tuple[str, str, str, int, str]) -> pl.DataFrame:
    return pl.DataFrame([(c, f, yuan(a), m, y) for c, f, a, m, y in rows], schema=PLAN, orient="row")


def settled(
    claims: list[tuple[str, str, str, str]], books: pl.DataFrame, advances: pl.DataFrame = NO_PLANS
) -> tuple[dict[tuple[str, str], dict], pl.DataFrame]:
    """Settle (institution, fund, claimed, deducted) from the books; return the month and the books after."""
    rows = [(c, "310", "21", f, yuan(a), yuan(d), yuan(a) - yuan(d)) for c, f, a, d in claims]
    clearing = pl.DataFrame(rows, schema=table(ClearingFund).schema, orient="row")
    paid = payment.calculate(clearing, ledger.opening(books, advances, MONTH), PROFILE, MONTH)
    after = pl.concat([books, ledger.continued(books, ledger.entries_of(paid)).select(*books.columns)])
    assert ledger.roll_forward(after) == []
    return {(r["fixmedins_code"], r["fund_pay_type"]): r for r in paid.iter_rows(named=True)}, after


def held(books: pl.DataFrame) -> dict[tuple[str, str, str], Decimal]:
    return {row[:3]: row[3] for row in ledger.balances(books).rows()}


# vectors


def test_n1_deposit_advance_and_clawback() -> None:
    books = entries((H, POOL, ADVANCE, "100000.00", "0"), (H, POOL, CARRY, "30000.00", "0"))
    paid, after = settled(
        [(H, POOL, "1000000.00", "23456.78")], books, plans((H, POOL, "100000.00", 1, "202604"))
    )

    row = paid[H, POOL]
    assert (row["dpst_sumamt"], row["act_dfr_amt"]) == (yuan("48827.16"), yuan("797716.06"))
    assert held(after) == {
        (H, POOL, ADVANCE): yuan("0.00"),
        (H, POOL, CARRY): yuan("0.00"),
        (H, POOL, DEPOSIT): yuan("48827.16"),
    }


def test_n2_pharmacy_carries_what_it_cannot_pay_back() -> None:
    paid, after = settled([(P, POOL, "8200.00", "1150.50")], entries((P, POOL, CARRY, "9000.00", "0")))

    assert (paid[P, POOL]["act_dfr_amt"], paid[P, POOL]["carry_amt"]) == (yuan("0.00"), yuan("2302.98"))
    assert held(after) == {(P, POOL, CARRY): yuan("2302.98"), (P, POOL, DEPOSIT): yuan("352.48")}
    assert ledger.opening(after, NO_PLANS, dt.date(2026, 5, 1))["clawback_amt"].to_list() == [yuan("2302.98")]


def test_n3_funds_never_net_each_other() -> None:
    paid, after = settled(
        [(H, POOL, "0", "0"), (H, RESIDENTS, "20000.00", "0")], entries((H, POOL, CARRY, "5000.00", "0"))
    )

    row = paid[H, RESIDENTS]
    assert row["act_dfr_amt"] + row["dpst_sumamt"] == yuan("20000.00")
    assert held(after) == {(H, POOL, CARRY): yuan("5000.00"), (H, RESIDENTS, DEPOSIT): yuan("1000.00")}


def test_n4_two_funds_have_two_deposits() -> None:
    _, after = settled(
        [(H, POOL, "600000.00", "0"), (H, RESIDENTS, "376543.22", "0")], pl.DataFrame(schema=ENTRIES)
    )

    assert list(held(after).values()) == [yuan("30000.00"), yuan("18827.16")]
    assert sum(held(after).values()) == yuan("48827.16")


def test_n5_advance_schedule() -> None:
    assert ledger.advance_schedule(yuan("1000000"), 7) == [yuan("142857.14")] * 6 + [yuan("142857.16")]


def test_n6_advance_base_is_the_average_month() -> None:
    assert ledger.advance_base([yuan("11800000"), yuan("12400000"), yuan("12980000")]) == yuan("1032777.78")


def test_n7_penalty_is_a_document_of_its_own() -> None:
    assert ledger.penalty(yuan("23456.78"), yuan("0.30")) == yuan("7037.03")
    assert ledger.entries_of(line(det_sumamt="23456.78")).is_empty()


def test_n8_instant_payments_are_rounded_day_by_day() -> None:
    paid = ledger.instant([yuan("12345.67"), yuan("23456.78"), yuan("34567.89")], yuan("0.60"))
    assert paid == yuan("42222.20")

    books = entries((H, POOL, ADVANCE, str(paid), "0"))
    row = settled([(H, POOL, "70370.34", "1500.00")], books, plans((H, POOL, str(paid), 1, "202604")))[0][
        H, POOL
    ]
    assert (row["dpst_sumamt"], row["act_dfr_amt"]) == (yuan("3443.52"), yuan("23204.62"))


def test_n9_a_month_of_refunds_is_carried() -> None:
    paid, after = settled([(P, POOL, "-3000.00", "0")], pl.DataFrame(schema=ENTRIES))

    assert paid[P, POOL]["act_dfr_amt"] == 0
    assert held(after) == {(P, POOL, CARRY): yuan("3000.00")}


# entries


def line(**amounts: str) -> pl.DataFrame:
    schema = table(Payment).schema
    row: dict[str, Any] = dict.fromkeys(schema, yuan("0.00")) | {"fixmedins_code": H, "fund_pay_type": POOL}
    return pl.DataFrame([row | {k: yuan(v) for k, v in amounts.items()}], schema=schema)


@pytest.mark.parametrize(
    ("amounts", "booked"),
    [
        ({"fund_appy_sum": "5.00", "act_dfr_amt": "5.00"}, []),
        ({"dpst_sumamt": "1.00"}, [(DEPOSIT, "withheld", "1.00", "0.00")]),
        ({"carry_amt": "2.00"}, [(CARRY, "carried", "2.00", "0.00")]),
        ({"clawback_amt": "3.00"}, [(CARRY, "clawed_back", "0.00", "3.00")]),
        ({"carry_amt": "2.00", "clawback_amt": "3.00"},
         [(CARRY, "clawed_back", "0.00", "3.00"), (CARRY, "carried", "2.00", "0.00")]),
        ({"advance_offset_amt": "4.00"}, [(ADVANCE, "offset", "0.00", "4.00")]),
        ({"prior_adjust_amt": "5.00"}, [(PRIOR, "settled", "0.00", "5.00")]),
        ({"prior_adjust_amt": "-5.00"}, [(PRIOR, "settled", "5.00", "0.00")]),
        ({"deferred_amt": "6.00"}, [(DEFERRED, "deferred", "6.00", "0.00")]),
    ],
)  # fmt: skip
def test_a_statement_line_books_what_moves(amounts: dict[str, str], booked: list[tuple]) -> None:
    got = ledger.entries_of(line(**amounts))

    assert got.select("book", "kind", "plus_amt", "minus_amt").rows() == [
        (b, k, yuan(plus), yuan(minus)) for b, k, plus, minus in booked
    ]
    assert got.schema == pl.Schema(ledger.ENTRY)


@pytest.mark.parametrize("amount", ["250.00", "-250.00"])
def test_a_prior_adjustment_is_settled_by_the_next_month(amount: str) -> None:
    booked = ("250.00", "0") if amount[0] != "-" else ("0", "250.00")
    paid, after = settled([(H, POOL, "1000.00", "0")], entries((H, POOL, PRIOR, *booked)))

    assert paid[H, POOL]["prior_adjust_amt"] == yuan(amount)
    assert paid[H, POOL]["act_dfr_amt"] == yuan("950.00") + yuan(amount)
    assert held(after)[H, POOL, PRIOR] == 0


# roll forward

AMOUNT = st.integers(0, 10**12).map(lambda fen: Decimal(fen).scaleb(-2))
ENTRY = st.tuples(
    st.sampled_from([H, P]), st.sampled_from([POOL, RESIDENTS]), st.sampled_from(ledger.BOOKS), AMOUNT, AMOUNT
)
GROUPS = st.lists(st.lists(ENTRY, max_size=8), max_size=4)


@settings(max_examples=80, deadline=None)
@given(GROUPS)
def test_any_sequence_of_entries_rolls_forward(groups: list[list[tuple]]) -> None:
    books, sums = pl.DataFrame(schema=ENTRIES), {}
    for rows in groups:
        new = pl.DataFrame([(*r[:3], "x", *r[3:]) for r in rows], schema=ledger.ENTRY, orient="row")
        books = pl.concat([books, ledger.continued(books, new).select(*ENTRIES)])
        for *chain, plus, minus in rows:
            sums[tuple(chain)] = sums.get(tuple(chain), Decimal(0)) + plus - minus
    below = books.filter((pl.col("closing_amt") < 0) & (pl.col("book") != PRIOR)).height

    assert len(ledger.roll_forward(books)) == below
    assert ledger.roll_forward(books.reverse()) == ledger.roll_forward(books)
    last = books.sort("seq").group_by(ledger.CHAIN, maintain_order=True).last()
    assert (
        {row[:3]: row[3] for row in last.select(*ledger.CHAIN, "closing_amt").rows()} == sums == held(books)
    )


SOUND = entries(
    (H, POOL, DEPOSIT, "10.00", "0"), (H, POOL, DEPOSIT, "5.00", "3.00"), (P, POOL, PRIOR, "0", "7.00")
)


@pytest.mark.parametrize(
    ("column", "value", "broken"),
    [
        ("closing_amt", "12.01", ["≠ 期末 12.01"]),
        ("opening_amt", "10.01", ["≠ 期末 12.00", "期初 10.01 ≠ 上一笔期末 10.00"]),
        ("plus_amt", "5.01", ["≠ 期末 12.00"]),
        ("minus_amt", "-3.00", ["≠ 期末 12.00", "不得为负"]),
        ("seq", "3", ["次序不连续"]),
    ],
)
def test_an_altered_entry_is_found_and_named(column: str, value: str, broken: list[str]) -> None:
    assert ledger.roll_forward(SOUND) == []
    dtype = SOUND.schema[column]
    second = (pl.col("fixmedins_code") == H) & (pl.col("seq") == 2)
    altered = SOUND.with_columns(
        pl.when(second).then(pl.lit(value).cast(dtype)).otherwise(column).alias(column)
    )
    said = ledger.roll_forward(altered)

    assert len(said) == len(broken)
    assert all(part in text and H in text for part, text in zip(broken, said, strict=True))
    assert all(text.startswith(H) for text in ledger.roll_forward(altered, "en"))


def test_an_entry_taken_away_is_found() -> None:
    said = ledger.roll_forward(SOUND.filter((pl.col("book") != DEPOSIT) | (pl.col("seq") != 1)))

    assert ["次序" in text for text in said] == [False, True]


@pytest.mark.parametrize("book", ledger.BOOKS)
def test_only_prior_adjustments_may_be_below_zero(book: str) -> None:
    said = ledger.roll_forward(entries((H, POOL, book, "1.00", "1.01")))

    assert [("低于零" in text) for text in said] == [True] * (book != PRIOR)


# advances


@given(st.integers(0, 10**12), st.integers(1, 60))
def test_instalments_add_up_and_are_never_below_zero(fen: int, months: int) -> None:
    parts = ledger.advance_schedule(Decimal(fen).scaleb(-2), months)

    assert len(parts) == months
    assert sum(parts) == Decimal(fen).scaleb(-2)
    assert min(parts) >= 0
    if fen > 100 * months:
        assert set(parts[:-1]) <= {round_half_up(Decimal(fen).scaleb(-2) / months)}


@pytest.mark.parametrize(("amount", "months"), [("1.00", 0), ("1.00", -1), ("-1.00", 2), ("1.001", 2)])
def test_what_cannot_be_divided_is_refused(amount: str, months: int) -> None:
    with pytest.raises(ValueError, match="金额"):
        ledger.advance_schedule(yuan(amount), months)


ONE_PLAN = st.tuples(st.integers(1, 10**9), st.integers(1, 14), st.integers(0, 20))


@settings(max_examples=40, deadline=None)
@given(st.lists(ONE_PLAN, min_size=1, max_size=4), st.integers(0, 40))
def test_due_of_many_plans_is_the_sum_of_their_schedules(asked: list[tuple[int, int, int]], at: int) -> None:
    def ym(number: int) -> tuple[int, int]:
        return 2026 + number // 12, number % 12 + 1

    rows, now, upto = [], Decimal(0), Decimal(0)
    for fen, months, start in asked:
        year, month = ym(start)
        rows.append((H, POOL, str(Decimal(fen).scaleb(-2)), months, f"{year}{month:02d}"))
        parts = ledger.advance_schedule(Decimal(fen).scaleb(-2), months)
        upto += sum(parts[: max(at - start + 1, 0)])
        now += parts[at - start] if 0 <= at - start < months else 0
    got = ledger.advance_due(plans(*rows), dt.date(*ym(at), 1))

    if all(start > at for _, _, start in asked):
        assert got.is_empty()
    else:
        assert got.rows() == [(H, POOL, now, upto)]


@pytest.mark.parametrize(
    ("month", "booked", "offset"),
    [
        # before the first month nothing is due; then the instalment; the last takes the remainder
        ((2026, 3), [("1000000.00", "0")], None),
        ((2026, 4), [("1000000.00", "0")], "142857.14"),
        ((2026, 10), [("1000000.00", "857142.84")], "142857.16"),
        # a month left out is made up for, also after the plan's end
        ((2026, 5), [("1000000.00", "0")], "285714.28"),
        ((2027, 6), [("1000000.00", "857142.84")], "142857.16"),
        # what was repaid early counts; never more than is outstanding
        ((2026, 4), [("1000000.00", "100000.00")], "42857.14"),
        ((2026, 4), [("1000000.00", "200000.00")], None),
        ((2026, 4), [("50000.00", "0")], "50000.00"),
        ((2026, 4), [], None),
    ],
)
def test_an_advance_is_offset_by_plan_within_what_is_outstanding(
    month: tuple[int, int], booked: list[tuple[str, str]], offset: str | None
) -> None:
    books = entries(*((H, POOL, ADVANCE, *amounts) for amounts in booked), (H, RESIDENTS, CARRY, "1.00", "0"))
    got = ledger.opening(books, plans((H, POOL, "1000000.00", 7, "202604")), dt.date(*month, 1))

    mine = got.filter(pl.col("fund_pay_type") == POOL)["advance_offset_amt"].to_list()
    assert mine == ([] if offset is None else [yuan(offset)])


def test_nothing_booked_opens_with_nothing() -> None:
    assert ledger.opening(pl.DataFrame(schema=ENTRIES), NO_PLANS, MONTH).is_empty()


def test_an_advance_is_gone_when_its_plan_ends() -> None:
    books, asked = entries((H, POOL, ADVANCE, "1000000.00", "0")), plans((H, POOL, "1000000.00", 7, "202604"))
    offsets = []
    for number in range(8):
        start = ledger.opening(books, asked, dt.date(2026, 4 + number, 1))
        if start.is_empty():
            break
        booked = ledger.entries_of(line(advance_offset_amt=str(start["advance_offset_amt"][0])))
        books = pl.concat([books, ledger.continued(books, booked).select(*books.columns)])
        offsets.append(start["advance_offset_amt"][0])

    assert offsets == ledger.advance_schedule(yuan("1000000.00"), 7)
    assert held(books)[H, POOL, ADVANCE] == 0


# the yearly return of deposits


def returned(score: str, amount: str = "58000.00") -> dict:
    books = entries((H, POOL, DEPOSIT, amount, "0"), (H, POOL, CARRY, "9.00", "0"))
    scores = pl.DataFrame(
        [(H, yuan(score))], schema={"fixmedins_code": pl.String, "score": pl.Decimal(5, 2)}, orient="row"
    )
    rows = ledger.deposit_return(ledger.balances(books), scores, PROFILE, DAY)
    after = pl.concat([books, ledger.continued(books, ledger.return_entries(rows)).select(*books.columns)])
    assert ledger.roll_forward(after) == []
    assert held(after) == {(H, POOL, DEPOSIT): 0, (H, POOL, CARRY): yuan("9.00")}
    return rows.row(0, named=True)


@pytest.mark.parametrize(
    ("score", "ratio", "back"),
    [
        ("100", "1", "58000.00"),
        ("90", "1", "58000.00"),
        ("89.99", "0.9998", "57988.40"),
        ("89", "0.98", "56840.00"),
        ("87", "0.94", "54520.00"),
        ("80", "0.80", "46400.00"),
        ("79.99", "0.60", "34800.00"),
        ("70", "0.60", "34800.00"),
        ("69.99", "0", "0.00"),
        ("0", "0", "0.00"),
    ],
)
def test_a_deposit_goes_back_by_score(score: str, ratio: str, back: str) -> None:
    row = returned(score)

    assert (row["ratio"], row["return_amt"], row["keep_amt"]) == (
        yuan(ratio), yuan(back), yuan("58000.00") - yuan(back),
    )  # fmt: skip


def test_a_score_of_87_keeps_six_per_cent() -> None:
    assert (returned("87")["return_amt"], returned("87")["keep_amt"]) == (yuan("54520.00"), yuan("3480.00"))


@pytest.mark.parametrize(
    ("amount", "back"), [("0.25", "0.24"), ("0.01", "0.01"), ("1234567890123.45", "1160493816716.04")]
)
def test_a_return_is_rounded_half_up(amount: str, back: str) -> None:
    assert returned("87", amount)["return_amt"] == yuan(back) == round_half_up(yuan(amount) * yuan("0.94"))


def test_an_institution_without_a_score_stops_the_return_and_is_named() -> None:
    rows = ledger.balances(entries((H, POOL, DEPOSIT, "1.00", "0"), (P, POOL, DEPOSIT, "1.00", "1.00")))
    scores = {"fixmedins_code": pl.String, "score": pl.Decimal(5, 2)}

    with pytest.raises(ReferenceError, match=f"1 家机构.*{H}"):
        ledger.deposit_return(rows, pl.DataFrame(schema=scores), PROFILE, DAY)
    twice = pl.DataFrame([(H, yuan("90")), (H, yuan("60"))], schema=scores, orient="row")
    with pytest.raises(InvariantBroken, match=H):
        ledger.deposit_return(rows, twice, PROFILE, DAY)
    # a deposit of nil needs no score
    one = ledger.deposit_return(rows, twice.head(1), PROFILE, DAY)
    assert one["fixmedins_code"].to_list() == [H]


def test_a_return_before_the_scheme_began_is_refused() -> None:
    rows = ledger.balances(entries((H, POOL, DEPOSIT, "1.00", "0")))
    scores = pl.DataFrame({"fixmedins_code": [H], "score": [yuan("90.00")]})

    with pytest.raises(PolicyError, match="deposit_full_score"):
        ledger.deposit_return(rows, scores, PROFILE, dt.date(2019, 1, 1))
