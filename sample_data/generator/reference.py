"""Writes a region's reference tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from sample_data.generator import catalogue, people
from sample_data.generator.book import Row, april
from sample_data.generator.evidence import Evidence
from sample_data.generator.regions import AGREEMENT_END, OPEN, SUSPENDED, UPGRADE, Member, Region
from schemas.codes import CODES
from schemas.funds import FUNDS

GRADE = {1: "08", 2: "05", 3: "02"}
COVERAGE = {"psn": pl.Int64, "insutype": pl.String, "status": pl.String, "begndate": pl.Date,
            "enddate": pl.Date}  # fmt: skip
# By institution in turn: on both sides of every limit of the deposit scheme.
SCORES = ("96.00", "87.00", "90.00", "79.50", "92.50", "65.00", "80.00", "70.00", "89.50", "100.00", "69.99",
          "84.00")  # fmt: skip
ASSESSED = (2025, 2026)
SUSPENDED_DOCTOR = "S"  # an eleventh doctor of every institution, who may not claim from the 16th on
DOCTOR_SINCE = date(2026, 4, 16)
LEFT = {"9903": date(2026, 3, 31), "9901": date(2026, 4, 15)}


@dataclass(frozen=True)
class People:
    """Everybody insured, and who is not covered as usual (rows of `COVERAGE`)."""

    persons: pl.DataFrame
    special: list[Row]


def write_reference(
    folder: Path, region: Region, items: pl.DataFrame, insured: People, evidence: Evidence
) -> None:
    """Write every reference table of a region as CSV."""
    persons, special = insured.persons, insured.special
    changed = pl.DataFrame(special, schema=COVERAGE)
    listed = items.filter(pl.col("code") != catalogue.UNLISTED)
    frames = {
        "institution": institutions(region), "agreement": agreements(region),
        "person": people.person_table(persons),
        "coverage": people.coverage_table(persons, changed),
        "hilist": catalogue.hilist(items), "price_limit": catalogue.price_limit(listed),
        "selfpay": catalogue.selfpay(listed), "staff": staff(region), "dict": care_codes(),
        "fund_account": fund_accounts(region), "contact": contacts(region),
        "assessment": assessments(region),
    } | catalogue.knowledge() | evidence  # fmt: skip
    for name, frame in frames.items():
        frame.write_csv(folder / f"{name}.csv")


def institutions(region: Region) -> pl.DataFrame:
    """Return `institution`; the refused unknown one is left out, one rises a level in mid-month."""
    rows = []
    for number, member in enumerate(region.members):
        if region.refusals.get(member.role) == "S06":
            continue
        if member.role == "upg":
            rows.append(_institution(member, number, 1, None, UPGRADE - timedelta(days=1)))
            rows.append(_institution(member, number, 2, UPGRADE, None))
            continue
        rows.append(_institution(member, number, member.inst.level, None, None))
    schema = {"begndate": pl.Date, "enddate": pl.Date}
    return pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)


def _institution(member: Member, number: int, level: int, begin: date | None, end: date | None) -> Row:
    inst, hospital = member.inst, member.inst.kind == 1
    area = inst.code[1:7]
    return {
        "fixmedins_code": inst.code, "fixmedins_name": inst.name, "fixmedins_type": str(inst.kind),
        "hosp_lv": GRADE[level] if hospital else None,
        "lmtpric_hosp_lv": str(level) if hospital else None,
        "uscc": f"99{area}MA00000{number:02d}X", "acctname": inst.name,
        "bankacct": f"9900{area}{number + 1:08d}", "bank_name": f"示例银行{area}支行",
        "bankcode": f"990{area}{number:03d}", "begndate": begin or OPEN, "enddate": end,
    }  # fmt: skip


def agreements(region: Region) -> pl.DataFrame:
    """Return `agreement`; one ends in mid-month, two pause, a refused one ended the month before."""
    rows: list[Row] = []
    for member in region.members:
        own = {"fixmedins_code": member.inst.code, "cntr_stas": "1",
               "med_type_scope": member.scope, "begndate": OPEN, "enddate": None}  # fmt: skip
        stop = april(AGREEMENT_END) if member.role == "end" else None
        if region.refusals.get(member.role) == "S07":
            stop = april(0)
        rows.append(own | {"enddate": stop})
        if stop is not None:
            rows.append(own | {"cntr_stas": "3", "begndate": stop + timedelta(days=1)})
        if member.role in SUSPENDED:
            first, last = SUSPENDED[member.role]
            rows.append(own | {"cntr_stas": "2", "begndate": april(first), "enddate": april(last)})
    schema = {"begndate": pl.Date, "enddate": pl.Date}
    return pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)


def staff(region: Region) -> pl.DataFrame:
    """Return `staff`: ten doctors of every institution in good standing, and one who is suspended."""
    rows: list[Row] = [
        {"bilg_dr_code": f"D{member.inst.code[1:]}{number}",
         "dr_name": f"{people.SURNAMES[(number * 7) % 40]}医师{number + 1}", "pay_status": "1",
         "begndate": OPEN, "enddate": None}
        for member in region.members for number in range(10)
    ]  # fmt: skip
    for member in region.members:
        own = {"bilg_dr_code": f"D{member.inst.code[1:]}{SUSPENDED_DOCTOR}", "dr_name": "停医师"}
        before = DOCTOR_SINCE - timedelta(days=1)
        rows.append(own | {"pay_status": "1", "begndate": OPEN, "enddate": before})
        rows.append(own | {"pay_status": "2", "begndate": DOCTOR_SINCE, "enddate": None})
    return pl.DataFrame(rows, schema_overrides={"enddate": pl.Date})


def care_codes() -> pl.DataFrame:
    """Return `dict`: the region's list of kinds of care; two codes have left it."""
    rows = [
        {"type": "med_type", "value": value, "label": label, "begndate": OPEN,
         "enddate": LEFT.get(value)}
        for value, label in CODES["med_type"].items()
    ]  # fmt: skip
    schema = {"enddate": pl.Date}
    return pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)


def fund_accounts(region: Region) -> pl.DataFrame:
    """Return `fund_account`: an account of its own for every fund."""
    rows = [
        {"fund_pay_type": fund.code, "payer_acct": f"9900{region.area}{fund.code}",
         "payer_name": f"{region.label}医疗保障中心{fund.zh}支出户",
         "payer_bank": f"示例银行{region.area}支行营业部", "begndate": OPEN, "enddate": None}
        for fund in FUNDS
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"enddate": pl.Date})


def contacts(region: Region) -> pl.DataFrame:
    """Return `contact`: one made-up person of every listed institution, at addresses nobody has."""
    rows = [
        {"fixmedins_code": member.inst.code, "contact_name": f"{people.SURNAMES[(number * 11) % 40]}联络员",
         "phone": f"0000-{number + 1:07d}", "email": f"{member.inst.code.lower()}@example.com",
         "begndate": OPEN, "enddate": None}
        for number, member in enumerate(_listed(region))
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"enddate": pl.Date})


def assessments(region: Region) -> pl.DataFrame:
    """Return `assessment`: a score a year of every listed institution."""
    rows = [
        {"fixmedins_code": member.inst.code, "year": year, "score": SCORES[(number + turn) % len(SCORES)]}
        for number, member in enumerate(_listed(region))
        for turn, year in enumerate(ASSESSED)
    ]
    return pl.DataFrame(rows)


def _listed(region: Region) -> list[Member]:
    return [m for m in region.members if region.refusals.get(m.role) != "S06"]
