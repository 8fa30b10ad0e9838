"""Whole months: the five sample regions, from submitted files to payments."""

import csv
import datetime as dt
import json
import random
import shutil
import zipfile
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from jobs import monthly, taking_in
from jobs.office import Office
from schemas.funds import FUNDS
from settlement import ledger, policy, store

SAMPLES = Path(__file__).parent.parent / "sample_data"
MONTH = dt.date(2026, 4, 1)
RECEIVED = dt.date(2026, 5, 8)
REGIONS = policy.regions()
DATA = ("returned", "settlements", "findings", "finding_funds", "clearing", "clearing_fund", "payment")


def take(home: Path, region: str, paths: list[Path]) -> Office:
    """Take in one sample month."""
    office = Office(store.open_store(home), region, MONTH, RECEIVED)
    taking_in.load_reference(office, SAMPLES / region / "reference")
    taking_in.take_in(office, paths, monthly.quiet)
    return office


def run(home: Path, region: str, paths: list[Path]) -> Path:
    """Take in and run one sample month; return its data folder."""
    return monthly.unattended(take(home, region, paths)).folder


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Data folders of the five sample months."""
    home = tmp_path_factory.mktemp("months")
    return {region: run(home, region, [SAMPLES / region / "submissions"]) for region in REGIONS}


def planted(region: str, kind: str) -> list[dict[str, str]]:
    with (SAMPLES / region / "planted.csv").open(encoding="utf-8") as reader:
        return [row for row in csv.DictReader(reader) if row["kind"] == kind]


def texts(frame: pl.DataFrame, *columns: str) -> list[tuple[str, ...]]:
    return sorted(tuple(str(v or "") for v in row) for row in frame.select(columns).iter_rows())


def once(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """A key given twice is at fault in both rows; the list of planted faults names it once."""
    return sorted(set(rows))


@pytest.mark.parametrize("region", REGIONS)
def test_every_planted_finding_is_found_and_nothing_else(months: dict[str, Path], region: str) -> None:
    found = pl.read_parquet(months[region] / "findings.parquet")
    expected = sorted(
        (r["rule_or_reason"], r["grade"], r["fixmedins_code"], r["setl_id"], r["bkkp_sn"])
        for r in planted(region, "finding")
    )

    assert texts(found, "rule_id", "grade", "fixmedins_code", "setl_id", "bkkp_sn") == expected


@pytest.mark.parametrize("region", REGIONS)
def test_every_planted_fault_is_returned_once_and_nothing_else(months: dict[str, Path], region: str) -> None:
    returned = pl.read_parquet(months[region] / "returned.parquet")
    rows = returned.filter(pl.col("level") == "settlement")
    expected = sorted(
        (r["fixmedins_code"], r["rule_or_reason"], r["table"], r["setl_id"], r["bkkp_sn"], r["column"])
        for r in planted(region, "return")
    )

    assert once(texts(rows, "fixmedins_code", "reason", "table", "setl_id", "bkkp_sn", "column")) == expected
    assert rows.unique().height == rows.filter(pl.col("reason") != "R06").unique().height + len(
        [r for r in expected if r[1] == "R06"]
    )


@pytest.mark.parametrize("region", REGIONS)
def test_every_planted_refusal_is_given_and_nothing_else(months: dict[str, Path], region: str) -> None:
    returned = pl.read_parquet(months[region] / "returned.parquet")
    rows = returned.filter(pl.col("level") == "submission").select("fixmedins_code", "reason").unique()
    expected = sorted({(r["fixmedins_code"], r["rule_or_reason"]) for r in planted(region, "refusal")})

    assert texts(rows, "fixmedins_code", "reason") == expected


def paid(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "payment.parquet")


@pytest.mark.parametrize("region", REGIONS)
def test_money_and_rows_are_conserved_per_institution_and_fund(months: dict[str, Path], region: str) -> None:
    checks = json.loads((months[region] / "run.json").read_text(encoding="utf-8"))["checks"]
    settlements = pl.read_parquet(months[region] / "settlements.parquet")
    findings = pl.read_parquet(months[region] / "findings.parquet")
    funds = pl.read_parquet(months[region] / "finding_funds.parquet")
    deducted = funds.join(findings.select("finding_id", "fixmedins_code"), on="finding_id")

    claimed: dict[tuple[str, str], Decimal] = {}
    for row in settlements.iter_rows(named=True):
        for fund in FUNDS:
            if (not fund.insutypes or row["insutype"] in fund.insutypes) and row[fund.column]:
                key = (row["fixmedins_code"], fund.code)
                claimed[key] = claimed.get(key, Decimal(0)) + row[fund.column]
    for row in paid(months[region]).iter_rows(named=True):
        key = (row["fixmedins_code"], row["fund_pay_type"])
        mine = deducted.filter((pl.col("fixmedins_code") == key[0]) & (pl.col("fund_pay_type") == key[1]))
        assert row["fund_appy_sum"] == claimed.pop(key, Decimal(0))
        assert row["det_sumamt"] == (mine["final_det_sumamt"].sum() or 0)
        assert row["fund_appy_sum"] == (
            row["act_dfr_amt"] + row["det_sumamt"] + row["dpst_sumamt"] + row["deferred_amt"]
            + row["advance_offset_amt"] + row["clawback_amt"]
            - row["method_adjust_amt"] - row["prior_adjust_amt"] - row["carry_amt"]
        )  # fmt: skip
    assert claimed == {}
    assert len(checks) >= 16
    assert all(check["ok"] for check in checks)


def shuffled(source: Path, target: Path) -> Path:
    """Copy a sample submission with the rows of its text tables in another order."""
    order = random.Random(7)
    if source.suffix == ".xlsx":
        return Path(shutil.copy(source, target / source.name))
    folder = target / source.stem
    if source.is_dir():
        shutil.copytree(source, folder)
    else:
        with zipfile.ZipFile(source) as archive:
            archive.extractall(folder)
    for path in folder.rglob("*"):
        if path.suffix in (".csv", ".txt") and path.read_bytes().count(b'"') == 0:
            head, *rows = path.read_bytes().splitlines(keepends=True)
            if rows and not rows[-1].endswith(b"\n"):
                rows[-1] += b"\n"
            order.shuffle(rows)
            path.write_bytes(head + b"".join(rows))
    return folder


@pytest.mark.parametrize("region", ["langfang", "daye"])
def test_a_second_run_and_a_shuffled_month_give_the_same_bytes(
    months: dict[str, Path], region: str, tmp_path: Path
) -> None:
    first = {p.name: p.read_bytes() for p in months[region].iterdir()}
    opened = store.open_store(months[region].parents[2])
    again = monthly.unattended(Office(opened, region, MONTH, RECEIVED)).folder
    (tmp_path / "sent").mkdir()
    sent = sorted((SAMPLES / region / "submissions").iterdir())
    mixed = [shuffled(path, tmp_path / "sent") for path in sent]
    random.Random(3).shuffle(mixed)
    other = run(tmp_path / "home", region, mixed)

    assert {p.name: p.read_bytes() for p in again.iterdir()} == first
    for name, content in first.items():
        assert (other / name).read_bytes() == content, name


def test_removing_one_institution_changes_no_other_payment(months: dict[str, Path], tmp_path: Path) -> None:
    region = "langfang"
    sent = sorted((SAMPLES / region / "submissions").iterdir())
    gone = next(p for p in sent if p.name.startswith("H13100000002"))
    other = run(tmp_path, region, [p for p in sent if p != gone])
    findings = pl.read_parquet(months[region] / "findings.parquet")
    # Rules that look at several institutions name the other side; only those may change.
    across = findings.filter(
        pl.col("related").str.contains("13100000002", literal=True)
        & (pl.col("fixmedins_code") != "H13100000002")
    )
    whole = paid(months[region]).filter(pl.col("fixmedins_code") != "H13100000002")
    without = paid(other)
    touched = set(across.filter(pl.col("final_det_sumamt") > 0)["fixmedins_code"])

    assert without.filter(~pl.col("fixmedins_code").is_in(touched)).equals(
        whole.filter(~pl.col("fixmedins_code").is_in(touched))
    )
    assert without.height == whole.height


def test_a_net_below_zero_is_carried_and_clawed_back_next_month(tmp_path: Path) -> None:
    region, later = "langfang", dt.date(2026, 5, 1)
    folder = run(tmp_path, region, [SAMPLES / region / "submissions"])
    carried = paid(folder).filter(pl.col("carry_amt") > 0)
    opened = store.open_store(tmp_path)
    with opened.engine.connect() as db:
        booked, plans = store.books.entries(db, region), store.books.advances(db, region)

    opening = ledger.opening(booked, plans, later).filter(pl.col("clawback_amt") > 0)

    assert carried.height > 0
    assert opening["clawback_amt"].to_list() == carried["carry_amt"].to_list()


def test_a_refused_and_resubmitted_institution_is_settled_as_if_sent_once(
    months: dict[str, Path], tmp_path: Path
) -> None:
    region, code = "langfang", "H13100000002"
    sent = sorted((SAMPLES / region / "submissions").iterdir())
    again = next(p for p in sent if p.name.startswith(code))
    (tmp_path / "first").mkdir()
    bad = shuffled(again, tmp_path / "first")
    totals = next(p for p in bad.iterdir() if p.stem in ("clr_sum", "月结算汇总表"))
    totals.write_bytes(totals.read_bytes().replace(b".", b"1.", 1))  # other totals: refused with S15
    # In two intakes, the refused one beside two thirds of the region, so that neither is pure.
    with_refused = [bad, *(p for p in sent[:7] if p != again)]
    rest = [p for p in sent if p not in with_refused]
    home = tmp_path / "home"
    take(home, region, with_refused)
    folder = run(home, region, rest)

    names = ("settlements", "findings", "finding_funds", "clearing", "clearing_fund", "payment")
    for name in names:
        expected = (months[region] / f"{name}.parquet").read_bytes()
        assert (folder / f"{name}.parquet").read_bytes() == expected, name
