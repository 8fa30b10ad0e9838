"""Tables of other systems that rules compare a month with: codes, stock, prescriptions, totals, groups.

Rows that stories bring stand in the book; the rest is what a month without faults has, so that nothing but
the stories is found.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from sample_data.generator.book import Book, Row
from sample_data.generator.catalogue import OPENING, knowledge
from sample_data.generator.people import number
from sample_data.generator.tables import own_code, yuan
from sample_data.generator.texts import TOTALS
from schemas.evidence import EVIDENCE
from schemas.layout import table

Evidence = dict[str, pl.DataFrame]
MODELS = {table(model).name: table(model) for model in EVIDENCE}
MONTH = "202604"
GROUPS = ("GB15", "FM39", "ES31", "BR23", "GK39", "IU29", "LB15", "ET19")
# Which funds may pay beside the basic one; 离休 has no row and is not judged.
FUNDS = {
    "310": ("320100", "330100", "350100", "370100"), "390": ("390200", "610100", "999997"),
    "510": ("320100",),
}  # fmt: skip
LATER_FUND = ("390", "370100", "2026-04-16")  # residents' enterprise supplement, from that day on
LEFT_AREA = ("990999", "2026-04-15")  # a county that belonged to the pool until that day
METFORMIN, OMEPRAZOLE = "XA10BAJ023A001010199003", "XA02BCA236E002010199005"
STENT = "C0205010100000050005"
# (item, kind, price, first and last day)
STANDARDS = (
    (METFORMIN, "1", "0.1835", None, None), (METFORMIN, "2", "0.2100", None, None),
    (OMEPRAZOLE, "1", "0.9643", None, None), (STENT, "1", "900.0000", None, None),
    (STENT, "2", "800.0000", None, "2026-04-15"), (STENT, "2", "700.0000", "2026-04-16", None),
)  # fmt: skip


def rows(name: str, found: Iterable[Row]) -> pl.DataFrame:
    """Return rows of a table with every column as text; a dated row is open where it says nothing."""
    columns = [column.name for column in MODELS[name].columns]
    since = {"begndate": OPENING} if "begndate" in columns and name != "manual_reimbursement" else {}
    full = [since | {k: v for k, v in row.items() if v is not None} for row in found]
    texts = [{c: None if row.get(c) is None else str(row[c]) for c in columns} for row in full]
    return pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String))


def told(book: Book, name: str) -> pl.DataFrame:
    """Return the rows of a table that stories bring."""
    return rows(name, book.reference.get(name, []))


def gather(
    book: Book, items: pl.DataFrame, setl: pl.DataFrame, lines: pl.DataFrame, sums: pl.DataFrame
) -> Evidence:
    """Return every table of a sample month.

    Args:
        book: the stories.
        items: the catalogue.
        setl: settlements as `setl_d`.
        lines: lines as `fee_list_d`.
        sums: what the institutions whose submissions are well-formed declare, as `clr_sum`.
    """
    region = book.region
    somebody = {"psn_no": number(region.area, 0), "fixmedins_code": f"H{region.area}99999"}
    away = {"reimb_no": "LX000001", "begndate": "2026-04-03", "enddate": "2026-04-03",
            "medfee_sumamt": "86.50", "invono": "990000000001"}  # fmt: skip
    codes = [member.inst.code for member in region.members]
    bought = purchases(lines, [c for c in codes if c.startswith("P")])
    stays = setl.filter(pl.col("clr_type") == "21", pl.col("setl_id").str.slice(-6) < "800000")
    return {
        "erx": pl.concat([rows("erx", [_prescription(region.area)]), told(book, "erx")]),
        "trace": pl.concat([split_codes(bought, book.traced), told(book, "trace")]),
        "stock": stock(bought, told(book, "stock")),
        "manual_reimbursement": pl.concat(
            [rows("manual_reimbursement", [somebody | away]), told(book, "manual_reimbursement")]
        ),
        "catalogue_map": pl.concat([catalogue_map(items, codes), told(book, "catalogue_map")]),
        "centre_sum": centre_sum(sums, book),
        "pool_area": pool_area(region.area),
        "insu_fund": insu_fund(),
        "injury_pledge": pl.concat(
            [rows("injury_pledge", [{"setl_id": setl["setl_id"][0]}]), told(book, "injury_pledge")]
        ),
        "drg_result": pl.concat([groups(stays.head(120)), told(book, "drg_result")]),
        "pay_standard": pay_standard(),
    }


def _prescription(area: str) -> Row:
    return {"rx_no": "RX00000001", "psn_no": number(area, 0), "hilist_code": "XJ01DDT061A001010199034",
            "cnt": "12.00", "begndate": "2026-04-02", "enddate": "2026-04-05"}  # fmt: skip


def purchases(lines: pl.DataFrame, pharmacies: list[str]) -> pl.DataFrame:
    """Return the lines of pharmacies with their institution, the quantity as a number."""
    owner = pl.concat_str(pl.lit("P"), pl.col("setl_id").str.slice(0, 11))
    return lines.with_columns(
        fixmedins_code=owner, cnt=pl.col("cnt").cast(pl.Decimal(16, 4)).cast(pl.Decimal(16, 2))
    ).filter(pl.col("fixmedins_code").is_in(pharmacies))


def split_codes(bought: pl.DataFrame, traced: set[tuple[str, str]]) -> pl.DataFrame:
    """Return a trace code for every drug sold out of an open box, which is all that stories do not say."""
    known = pl.DataFrame(sorted(traced), schema={"setl_id": pl.String, "bkkp_sn": pl.String}, orient="row")
    without = pl.col("hilist_code").is_in(knowledge()["kb_notrace"]["hilist_code"].implode())
    drugs = bought.filter(pl.col("list_type") == "101", pl.col("cnt") > 0, ~without)
    rest = drugs.join(known, on=["setl_id", "bkkp_sn"], how="anti", maintain_order="left")
    return rest.select(
        trace_code=pl.concat_str(pl.lit("81"), "setl_id", "bkkp_sn"), setl_id="setl_id",
        bkkp_sn="bkkp_sn", split_flag=pl.lit("1"),
    )  # fmt: skip


def stock(bought: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """Return what pharmacies had, bought and have left: all of it sold on the books."""
    drugs = bought.filter(pl.col("list_type").str.starts_with("1"))
    half = pl.col("sold") // 2
    usual = (
        drugs.group_by("fixmedins_code", "hilist_code")
        .agg(sold=(pl.col("cnt").sum() * 100).cast(pl.Int64))
        .join(said, on=["fixmedins_code", "hilist_code"], how="anti")
        .sort("fixmedins_code", "hilist_code")
        .with_columns(opening=half + 6_000, purchase=pl.col("sold") - half + 2_000)
        .with_columns(closing=pl.lit(8_000, dtype=pl.Int64))
    )
    cells = {f"{name}_cnt": yuan(name).cast(pl.String) for name in ("opening", "purchase", "closing")}
    frame = usual.select("fixmedins_code", "hilist_code", clr_ym=pl.lit(MONTH), **cells)
    return pl.concat([frame, said])


def catalogue_map(items: pl.DataFrame, codes: list[str]) -> pl.DataFrame:
    """Return every institution's own codes, each registered as the item it stands for."""
    own = items.select(medins_list_codg=own_code(pl.col("list_type"), pl.col("item")), hilist_code="code")
    frame = pl.DataFrame({"fixmedins_code": codes}).join(own, how="cross")
    return frame.with_columns(begndate=pl.lit(str(OPENING)), enddate=pl.lit(None, dtype=pl.String))


def centre_sum(sums: pl.DataFrame, book: Book | None = None) -> pl.DataFrame:
    """Return the centre's totals: what is declared, but for what stories say."""
    frame = sums.select(column.name for column in MODELS["centre_sum"].columns)
    for change in book.centre if book else []:
        match = pl.lit(value=True)
        for name in ("fixmedins_code", "insutype", "clr_type"):
            match &= pl.col(name) == change[name]
        if change["by"] is None:
            frame = frame.filter(~match)
            continue
        column = change["column"]
        kind = pl.Int64 if column not in TOTALS else pl.Decimal(16, 2)
        other = (pl.col(column).cast(kind) + pl.lit(change["by"]).cast(kind)).cast(pl.String)
        frame = frame.with_columns(pl.when(match).then(other).otherwise(column).alias(column))
    last = frame.head(1).with_columns(clr_ym=pl.lit("202603"), fixmedins_setl_cnt=pl.lit("1"))
    return pl.concat([frame, last])


def pool_area(area: str) -> pl.DataFrame:
    """Return the area codes of the pool, and one that belonged to it until mid-month."""
    prefix = area
    while prefix.endswith("00"):
        prefix = prefix[:-2]
    left, last = LEFT_AREA
    return rows("pool_area", [{"admdvs_prefix": prefix}, {"admdvs_prefix": left, "enddate": last}])


def insu_fund() -> pl.DataFrame:
    """Return which funds may pay for which insurance."""
    found: list[Row] = [
        {"insutype": kind, "fund_pay_type": fund} for kind, funds in FUNDS.items() for fund in funds
    ]
    kind, fund, since = LATER_FUND
    found.append({"insutype": kind, "fund_pay_type": fund, "begndate": since})
    return rows("insu_fund", found)


def pay_standard() -> pl.DataFrame:
    """Return payment standards and tender prices."""
    names = ("hilist_code", "std_type", "pay_std_amt", "begndate", "enddate")
    return rows("pay_standard", [dict(zip(names, row, strict=True)) for row in STANDARDS])


def groups(stays: pl.DataFrame) -> pl.DataFrame:
    """Return the groups of some stays, the same after audit."""
    place = stays["setl_id"].str.slice(-6).cast(pl.Int64)
    found = [
        {"setl_id": setl_id, "billed_group": GROUPS[n % 8], "audited_group": GROUPS[n % 8],
         "billed_std_amt": f"{3000 + 450 * (n % 8)}.00", "audited_std_amt": f"{3000 + 450 * (n % 8)}.00"}
        for setl_id, n in zip(stays["setl_id"], place, strict=True)
    ]  # fmt: skip
    return rows("drg_result", found)
