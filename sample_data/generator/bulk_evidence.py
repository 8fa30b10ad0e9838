"""What other systems know of the large month, and where they disagree with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from sample_data.generator import catalogue, evidence, reference
from sample_data.generator.base import Inst
from sample_data.generator.book import april
from sample_data.generator.evidence import Evidence
from sample_data.generator.regions import OPEN, Region

BARRED = 701  # one doctor in so many is suspended
PAUSED = 60  # one institution in so many paused on the 20th
MALE_HYSTERECTOMY = "68.4900"
TRACED, PRESCRIBED, FORBIDDEN = 50, 97, 389  # one further drug in so many


@dataclass
class Known:
    """What other systems know of one institution, by table."""

    tables: Evidence
    total: pl.DataFrame = field(default_factory=pl.DataFrame)


def _drugs(items: pl.DataFrame, every: int, place: int = 0) -> pl.DataFrame:
    """Return one in so many of the further drugs that pharmacies sell by the box."""
    further = pl.col("code").str.starts_with("XZ") & pl.col("pools").str.contains("P")
    return items.filter(further, pl.col("price") >= 30_000, pl.col("item") % every == place)


def odd_operations(operations: pl.DataFrame) -> pl.DataFrame:
    """Give some stays an operation that only one sex has (C20)."""
    odd = pl.col("setl_id").str.slice(-6).cast(pl.Int64) % 97 == 5
    code = pl.when(odd).then(pl.lit(MALE_HYSTERECTOMY)).otherwise("oprn_oprt_code")
    return operations.with_columns(oprn_oprt_code=code)


def known(
    inst: Inst, items: pl.DataFrame, total: pl.DataFrame, setl: pl.DataFrame, lines: pl.DataFrame
) -> Known:
    """Return what other systems know of one institution's month."""
    place = pl.col("setl_id").str.slice(-6).cast(pl.Int64)
    found: Evidence = {
        "centre_sum": total,
        "manual_reimbursement": setl.filter(place % 2_500 == 73).select(
            reimb_no=pl.concat_str(pl.lit("LX"), "setl_id"), psn_no="psn_no",
            fixmedins_code="fixmedins_code", begndate="begndate", enddate="enddate",
            medfee_sumamt="medfee_sumamt", invono=pl.lit(None, dtype=pl.String),
        ),
        "drg_result": _groups(setl.filter(pl.col("clr_type") == "21"), place),
        "injury_pledge": setl.filter(pl.col("dscg_maindiag_code") == "S82.101", place % 4 == 1)
        .select("setl_id"),
    }  # fmt: skip
    if inst.kind == 2:
        bought = evidence.purchases(lines, [inst.code])
        found |= {
            "trace": _codes(bought, _drugs(items, TRACED)["code"]),
            "erx": _prescriptions(bought, setl, _drugs(items, PRESCRIBED, 1)["code"]),
            "stock": _stock(bought),
        }
    return Known({name: frame.select(pl.all().cast(pl.String)) for name, frame in found.items()}, total)


def _groups(stays: pl.DataFrame, place: pl.Expr) -> pl.DataFrame:
    """Return the groups of one stay in five; one of them in 100 is billed dearer than audited."""
    dearer = pl.when(place % 500 == 5).then(900).otherwise(0)
    standard = 3_000 + 450 * (place % 8)
    group = pl.format("G{}", place % 8 + 10)
    return stays.filter(place % 5 == 0).select(
        "setl_id",
        billed_group=pl.when(dearer > 0).then(pl.lit("G99")).otherwise(group),
        audited_group=group,
        billed_std_amt=pl.format("{}.00", standard + dearer),
        audited_std_amt=pl.format("{}.00", standard),
    )


def _codes(bought: pl.DataFrame, traced: pl.Series) -> pl.DataFrame:
    """Return a code for every box; one line in 50 lacks one (E02), one in 60 has another's (E03)."""
    boxes = bought.filter(pl.col("hilist_code").is_in(traced.implode()), pl.col("cnt") > 0)
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    boxes = boxes.with_columns(row=row, box=pl.int_ranges(0, pl.col("cnt").cast(pl.Int64))).explode("box")
    first = pl.col("box") == 0
    boxes = boxes.filter(~first | (pl.col("row") % 50 != 7))
    code = pl.concat_str(pl.lit("85"), "setl_id", "bkkp_sn", pl.col("box").cast(pl.String))
    other = pl.concat_str(
        pl.lit("86"), pl.col("setl_id").str.slice(0, 11), pl.col("hilist_code").str.slice(2, 5)
    )
    return boxes.select(
        trace_code=pl.when(first & (pl.col("row") % 60 == 11)).then(other).otherwise(code),
        setl_id="setl_id", bkkp_sn="bkkp_sn", split_flag=pl.lit("0"),
    )  # fmt: skip


def _prescriptions(bought: pl.DataFrame, setl: pl.DataFrame, listed: pl.Series) -> pl.DataFrame:
    """Return a prescription for every such drug sold but one in 30 (E01)."""
    drugs = bought.filter(pl.col("hilist_code").is_in(listed.implode()), pl.col("cnt") > 0)
    drugs = drugs.filter(pl.int_range(pl.len()) % 30 != 3)
    who = drugs.join(setl.select("setl_id", "psn_no"), on="setl_id", maintain_order="left")
    day = pl.col("fee_ocur_time").dt.date()
    return who.select(
        rx_no=pl.concat_str(pl.lit("RX"), "setl_id", "bkkp_sn"), psn_no="psn_no", hilist_code="hilist_code",
        cnt="cnt", begndate=day, enddate=day + timedelta(days=2),
    )  # fmt: skip


def _stock(bought: pl.DataFrame) -> pl.DataFrame:
    """Return a stock that holds what is sold, but for one drug in 600 (E12)."""
    frame = evidence.stock(bought, evidence.rows("stock", []))
    short = pl.int_range(pl.len()) % 600 == 17
    return frame.with_columns(purchase_cnt=pl.when(short).then(pl.lit("0.00")).otherwise("purchase_cnt"))


def gather(region: Region, items: pl.DataFrame, parts: list[Known]) -> Evidence:
    """Return every reference table that is not the same in all months."""
    found: Evidence = {}
    for name in evidence.MODELS:
        columns = [column.name for column in evidence.MODELS[name].columns]
        own = [part.tables[name] for part in parts if name in part.tables]
        if own:
            found[name] = pl.concat(frame.select(columns) for frame in own)
    cash = pl.col("cash_payamt").cast(pl.Decimal(16, 2)) + pl.lit("0.01").str.to_decimal(scale=2)
    apart = pl.int_range(pl.len()) % 40 == 9
    found["centre_sum"] = found["centre_sum"].with_columns(  # A15
        cash_payamt=pl.when(apart).then(cash.cast(pl.String)).otherwise("cash_payamt")
    )
    codes = [member.inst.code for member in region.members]
    found |= {
        "catalogue_map": evidence.catalogue_map(items, codes), "pool_area": evidence.pool_area(region.area),
        "insu_fund": evidence.insu_fund(), "pay_standard": evidence.pay_standard(),
        "agreement": _agreements(region), "staff": _staff(region),
    }  # fmt: skip
    return found | _lists(items)


def _agreements(region: Region) -> pl.DataFrame:
    """Pause some institutions on one day (A04)."""
    usual = reference.agreements(region)
    day = april(20)
    paused = usual.gather_every(PAUSED, PAUSED // 2).with_columns(
        cntr_stas=pl.lit("2"), begndate=pl.lit(day), enddate=pl.lit(day)
    )
    return pl.concat([usual, paused])


def _staff(region: Region) -> pl.DataFrame:
    """Suspend some doctors from the 27th on (D13)."""
    usual = reference.staff(region)
    day = april(27)
    barred = (pl.int_range(pl.len()) % BARRED == 100) & (pl.col("begndate") == OPEN)
    until = pl.when(barred).then(pl.lit(day - timedelta(days=1))).otherwise("enddate")
    suspended = usual.filter(barred).with_columns(pay_status=pl.lit("2"), begndate=pl.lit(day))
    return pl.concat([usual.with_columns(enddate=until), suspended])


def _lists(items: pl.DataFrame) -> Evidence:
    """Add further drugs to the lists of what needs a code, needs a prescription, may not be paid."""
    lists = catalogue.knowledge()
    plain = pl.col("list_type") == "101"
    traced = _drugs(items, TRACED)["code"]
    without = items.filter(plain, ~pl.col("code").is_in(traced.implode()))
    return {
        "kb_notrace": _more(lists["kb_notrace"].clear(), without),
        "kb_rx": _more(lists["kb_rx"], _drugs(items, PRESCRIBED, 1), dual_channel=pl.lit("1")),
        "kb_forbidden": _more(lists["kb_forbidden"], _drugs(items, FORBIDDEN, 2)),
    }


def _more(listed: pl.DataFrame, items: pl.DataFrame, **more: pl.Expr) -> pl.DataFrame:
    added = items.select(
        hilist_code="code", hilist_name="name", source=pl.lit("示例统筹区清单(虚构)"),
        begndate=pl.lit("2025-01-01"), enddate=pl.lit(None, dtype=pl.String), **more,
    )  # fmt: skip
    return pl.concat([listed, added.select(listed.columns)])
