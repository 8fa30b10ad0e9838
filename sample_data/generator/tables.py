"""From priced settlements and lines to the columns of a submission."""

from __future__ import annotations

import polars as pl

from sample_data.generator.draw import roll, salt
from sample_data.generator.money import BUCKETS, FUNDS
from schemas.layout import table
from schemas.submission import FeeListD, SetlD

SETL_COLUMNS = [column.name for column in table(SetlD).columns if column.present]
INVOICE = "invono"  # sent only by who has any
LINE_COLUMNS = [column.name for column in table(FeeListD).columns if column.present]
AMOUNTS = {
    "medfee": "medfee_sumamt", "fulamt": "fulamt_ownpay_amt", "over": "overlmt_selfpay",
    "pre": "preselfpay_amt", "inscp": "inscp_amt", "dedc": "act_pay_dedc", "hifp": "hifp_pay",
    "cvlserv": "cvlserv_pay", "hifes": "hifes_pay", "hifmi": "hifmi_pay", "hifob": "hifob_pay",
    "hifdm": "hifdm_pay", "maf": "maf_pay", "othfund": "othfund_pay", "fund": "fund_pay_sumamt",
    "psn_pay": "psn_pay", "acct": "acct_pay", "mulaid": "acct_mulaid_pay", "cash": "cash_payamt",
    "hosp": "ownpay_hosp_part", "balc": "balc",
}  # fmt: skip
SIGNED = ("medfee", *BUCKETS, "dedc", *FUNDS, "fund", "psn_pay", "acct", "mulaid", "cash", "hosp")


def yuan(column: str, unit: str = "0.01", places: int = 2) -> pl.Expr:
    """Return an integer column as an exact decimal of `places` decimals."""
    factor = pl.lit(unit).str.to_decimal(scale=places)
    return pl.col(column).cast(pl.Decimal(20, 0)).mul(factor).cast(pl.Decimal(16, places))


def moment(column: str) -> pl.Expr:
    """Return seconds since 1970 as a timestamp."""
    return (pl.col(column) * 1_000_000).cast(pl.Datetime("us"))


def doctor(code: pl.Expr, number: pl.Expr) -> pl.Expr:
    """Return the code of one of an institution's ten doctors."""
    return pl.concat_str(pl.lit("D"), code.str.slice(1), (number % 10).cast(pl.String))


def own_code(list_type: pl.Expr, item: pl.Expr) -> pl.Expr:
    """Return an institution's own code of an item; all of them number alike."""
    drug = list_type.str.starts_with("1")
    kind = pl.when(drug).then(pl.lit("Y")).otherwise(pl.lit("F"))
    return pl.concat_str(kind, item.cast(pl.String).str.zfill(5))


def setl_table(priced: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Return `setl_d` of priced settlements."""
    own = people.select("psn", "psn_no", "psn_name", "certno", "gend", "brdy", "psn_type")
    frame = priced.join(own, on="psn", how="left", maintain_order="left")
    credential = roll(pl.col("psn"), salt("credential"), 3) + 1
    return frame.with_columns(
        insu_admdvs=pl.col("psn_no").str.slice(0, 6), fixmedins_code="inst",
        begndate=pl.col("beg").cast(pl.Int32).cast(pl.Date),
        enddate=pl.col("end").cast(pl.Int32).cast(pl.Date), setl_time=moment("at"),
        mdtrt_cert_type=pl.concat_str(pl.lit("0"), credential.cast(pl.String)),
        clr_way=pl.lit("1"), refd_setl_flag="refd", vali_flag=pl.lit("1"), dise_no="dise",
        dscg_maindiag_code="diag", die_date="die", invono=pl.lit(None, dtype=pl.String),
        **{name: yuan(column) for column, name in AMOUNTS.items()},
    ).select(*SETL_COLUMNS, INVOICE)  # fmt: skip


def line_table(charged: pl.DataFrame) -> pl.DataFrame:
    """Return `fee_list_d` of charged lines (with the institution in `inst`, visit in mdtrt_id)."""
    sheet = (pl.col("sn") - 1) // 5 + 1
    return charged.with_columns(
        bkkp_sn=pl.col("sn").cast(pl.String).str.zfill(3), init_feedetl_sn="init",
        rx_drord_no=pl.concat_str("seq", pl.lit("-"), sheet), fee_ocur_time=moment("at"),
        hilist_code="code", hilist_name="name", med_list_codg="code",
        medins_list_codg=own_code(pl.col("list_type"), pl.col("item")),
        medins_list_name="name", med_chrgitm_type="chrg", chrgitm_lv="lv",
        cnt=yuan("cnt"), pric=yuan("pric", "0.0001", 4), pric_uplmt_amt=yuan("cap", "0.0001", 4),
        selfpay_prop=yuan("ratio", "0.0001", 4), det_item_fee_sumamt=yuan("amt"),
        fulamt_ownpay_amt=yuan("fulamt"), overlmt_selfpay=yuan("over"),
        preselfpay_amt=yuan("pre"), inscp_amt=yuan("inscp"),
        bilg_dept_codg=pl.when(pl.col("kind") == 1).then(pl.format("A{}", pl.col("seq") % 7 + 10)),
        bilg_dr_code=doctor(pl.col("inst"), pl.col("seq")),
        lmt_used_flag=pl.lit("0"), hosp_appr_flag=pl.lit("0"), dscg_tkdrug_flag=pl.lit("0"),
        prd_days=yuan("supply", "1", 0),
    ).select(LINE_COLUMNS)  # fmt: skip


def reversed_of(priced: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return reversals of priced settlements: same visit, every amount negative.

    Args:
        priced: the settlements that are reversed.
        pairs: columns setl_id (the reversed one), new_id, at (when it was reversed).
    """
    frame = priced.drop("at").join(pairs, on="setl_id", maintain_order="right")
    return frame.with_columns(
        *(-pl.col(column) for column in SIGNED),
        balc=pl.col("balc") + pl.col("acct"),
        init_setl_id="setl_id", setl_id="new_id", refd=pl.lit("1"),
    ).drop("new_id")  # fmt: skip


def reversed_lines(charged: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of reversals: negative quantity and amounts, naming the reversed line."""
    frame = charged.drop("at").join(pairs, on="setl_id", maintain_order="right_left")
    return frame.with_columns(
        *(-pl.col(column) for column in ("cnt", "amt", *BUCKETS)),
        init=pl.col("sn").cast(pl.String).str.zfill(3), setl_id="new_id",
    ).drop("new_id")  # fmt: skip
