"""The tables of one submission as text: planted edits, totals, diagnoses."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sample_data.generator.book import Row

TIME = "%Y-%m-%d %H:%M:%S"
TOTALS = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay", "cash_payamt")
OPERATIONS = {
    "003310030220000": "47.0901", "003310010230000": "43.9901", "003309000180000": "41.5x00",
    "003205000020000": "36.0700", "003311030010000": "57.1900", "003311030020000": "57.5900",
    "003314000020000": "73.5900",
}  # fmt: skip
OTHER_OPERATION = "86.2200"
Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Long:
    """A row that gets one field too many when it is written."""

    table: str
    setl_id: str
    sn: str


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with every cell as it stands in a file; a missing value is empty."""
    cells = [
        pl.col(name).dt.strftime(TIME) if kind == pl.Datetime else pl.col(name).cast(pl.String)
        for name, kind in frame.schema.items()
    ]
    return frame.select(cell.fill_null("") for cell in cells)


def apply(tables: Tables, changes: list[Row]) -> list[Long]:
    """Carry out the planted changes in place and return the rows to lengthen on writing."""
    long = []
    for change in changes:
        name, frame = change["table"], tables[change["table"]]
        match = pl.col("setl_id") == change["setl_id"]
        if change.get("sn"):
            match &= pl.col("bkkp_sn") == change["sn"]
        if change["op"] == "edit":
            row = frame.filter(match).row(0, named=True)
            new = change["edit"](row)
            tables[name] = frame.with_columns(
                pl.when(match).then(pl.lit(value)).otherwise(column).alias(column)
                for column, value in new.items()
            )
        elif change["op"] == "repeat":
            tables[name] = pl.concat([frame, frame.filter(match)])
        elif change["op"] == "drop":
            tables[name] = frame.filter(~match)
        elif change["op"] == "orphan":
            stray = (frame.filter(match) if frame.filter(match).height else frame).head(1)
            tables[name] = pl.concat([frame, stray.with_columns(setl_id=pl.lit(change["new_id"]))])
        else:
            long.append(Long(name, change["setl_id"], change["sn"]))
    return long


def totals(code: str, settlements: pl.DataFrame) -> pl.DataFrame:
    """Return `clr_sum` of the settlements as they stand in the file."""
    sums = settlements.group_by("insutype", "clr_type").agg(
        fixmedins_setl_cnt=pl.len(),
        **{c: pl.col(c).cast(pl.Decimal(16, 2), strict=False).sum() for c in TOTALS},
    )
    frame = sums.sort("insutype", "clr_type").select(
        pl.lit(code).alias("fixmedins_code"), pl.lit("202604").alias("clr_ym"),
        "insutype", "clr_type", "fixmedins_setl_cnt", *TOTALS,
    )  # fmt: skip
    return as_text(frame)


def diagnoses(settlements: pl.DataFrame, more: list[Row]) -> pl.DataFrame:
    """Return `setl_list_diag_d`: main diagnoses of stays, a second one for some, and the stories' own."""
    stays = settlements.filter(pl.col("dscg_maindiag_code") != "")
    main = stays.select("setl_id", diag_code="dscg_maindiag_code", maindiag_flag=pl.lit("1"))
    second = stays.filter(pl.col("setl_id").str.ends_with("7")).select(
        "setl_id", diag_code=pl.lit("R05.x00"), maindiag_flag=pl.lit("0")
    )  # fmt: skip
    told = pl.DataFrame(more, schema=dict.fromkeys(main.columns, pl.String))
    told = told.join(settlements.select("setl_id"), on="setl_id", how="semi")
    return pl.concat([main, second, told]).sort("setl_id", "diag_code")


def operations(settlements: pl.DataFrame, lines: pl.DataFrame, more: list[Row]) -> pl.DataFrame:
    """Return `setl_list_oprn_d`: one operation for every operation fee of a stay, and the stories' own."""
    surgery = lines.filter(pl.col("med_chrgitm_type") == "06")
    stays = surgery.join(settlements.select("setl_id"), on="setl_id", how="semi")
    found = stays.select(
        "setl_id",
        oprn_oprt_code=pl.col("hilist_code").replace_strict(OPERATIONS, default=OTHER_OPERATION),
        oprn_oprt_date=pl.col("fee_ocur_time").cast(pl.String).str.slice(0, 10),
    )
    told = pl.DataFrame(more, schema=dict.fromkeys(found.columns, pl.String))
    told = told.join(settlements.select("setl_id"), on="setl_id", how="semi")
    both = pl.concat([found, told])
    return both.unique(maintain_order=True).sort("setl_id", "oprn_oprt_code", "oprn_oprt_date")
