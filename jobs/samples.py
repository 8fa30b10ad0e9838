"""A repeatable sample of a month for auditors: settlements, fee lines or findings, drawn by hash.

Nobody chooses: without a seed of one's own it is made of region, month and the last entry of the log that
changed anything of the month, so drawing again gives the same rows until the record itself goes on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from jobs import documents, standing
from jobs.books import Month, connect, open_month
from jobs.office import Office, permit
from settlement import policy, store
from settlement.errors import SettlementError
from settlement.labels import label
from settlement.query import frame, hold
from settlement.reports.frames import csv_frame, write_csv
from settlement.reports.pages import Page, header, in_words, write_pages
from settlement.reports.persons import masked, without_persons
from settlement.review.sampling import Size, draw
from settlement.store import evidence

SETTLEMENTS, LINES, FINDINGS = "settlements", "lines", "findings"
KEYS = {SETTLEMENTS: ("setl_id",), LINES: ("setl_id", "bkkp_sn"), FINDINGS: ("finding_id",)}
PERSON = (
    ("psn_no", "text", 16.0),
    ("psn_name", "text", 9.0),
    ("gend", "centre", 6.0),
    ("brdy", "centre", 11.0),
)
WHERE = (("fixmedins_code", "text", 15.0), ("fixmedins_name", "wrap", 24.0))
VISIT = (("med_type", "centre", 12.0), ("begndate", "date", 11.0), ("enddate", "date", 11.0))
ANSWERS = (("checked", "centre", 10.0), ("remark", "wrap", 24.0))
SHAPES: dict[str, tuple[tuple[str, str, float], ...]] = {
    SETTLEMENTS: (
        ("setl_id", "text", 24.0), *WHERE, *PERSON, *VISIT,
        *((name, "money", 13.0) for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay", "cash_payamt")),
        ("hits", "count", 8.0), ("final_det_sumamt", "money", 12.0),
    ),
    LINES: (
        ("setl_id", "text", 24.0), ("bkkp_sn", "text", 10.0), *WHERE, *PERSON,
        ("fee_ocur_time", "date", 11.0),
        ("hilist_code", "text", 20.0), ("hilist_name", "wrap", 24.0), ("cnt", "quantity", 9.0),
        ("pric", "price", 11.0), ("det_item_fee_sumamt", "money", 12.0), ("inscp_amt", "money", 12.0),
        ("bilg_dept_codg", "text", 10.0), ("bilg_dr_code", "text", 14.0),
    ),
    FINDINGS: (
        ("finding_id", "text", 19.0), ("rule_id", "centre", 8.0), ("rule_name", "wrap", 24.0),
        ("grade", "centre", 7.0), *WHERE, ("setl_id", "text", 24.0), ("bkkp_sn", "text", 10.0), *PERSON[:2],
        ("vola_cont", "wrap", 40.0), ("risk_amt", "money", 12.0), ("det_sumamt", "money", 12.0),
        ("reply", "centre", 11.0), ("reply_reason", "wrap", 24.0), ("decision", "centre", 9.0),
        ("decision_reason", "wrap", 24.0), ("reviewer", "centre", 10.0), ("final_det_sumamt", "money", 12.0),
    ),
}  # fmt: skip
CODES = {"gend": "gend", "med_type": "med_type", "reply": "reply", "decision": "decision", "grade": "grade"}
TEXTS = ("vola_cont", "reply_reason", "decision_reason")


@dataclass(frozen=True)
class Wish:
    """What is to be drawn.

    Attributes:
        what: `settlements`, `lines` or `findings`.
        size: how many.
        seed: empty: made from the record.
        institution: its code, empty for all.
        masked: persons are masked.
    """

    what: str
    size: Size
    seed: str = ""
    institution: str = ""
    masked: bool = True


@dataclass(frozen=True)
class Drawn:
    """A sample.

    Attributes:
        seed: what it was drawn with.
        population: rows it was drawn from.
        digest: SHA-256 of the drawn keys in order, one a line, a key's parts joined by `|`.
        rows: the rows, with place, pick and national field names.
        files: workbook, CSV and Parquet.
    """

    seed: str
    population: int
    digest: str
    rows: pl.DataFrame
    files: tuple[Path, ...]


def sample(office: Office, wish: Wish, folder: Path | None = None) -> Drawn:
    """Draw a sample of a month's accepted rows, write it, and put the draw on record.

    Args:
        office: whose month, and who draws.
        wish: what is to be drawn.
        folder: where the files go; the month's `samples` when None.

    Raises:
        ProcedureError: the actor may not draw samples.
        SettlementError: nothing to draw from, an unknown kind, or a size out of range.
    """
    act = permit(office, "sample_draw")
    if wish.what not in KEYS:
        raise SettlementError(f"不能从 {wish.what} 抽样,可用:{'、'.join(KEYS)}。")
    month = open_month(office, pinned=documents.last_run(office))
    seed = wish.seed or derived_seed(office)
    con = connect(month)
    try:
        _populate(con, month, wish)
        population, picked = draw(con, "population", KEYS[wish.what], wish.size, seed)
        if not population:
            raise SettlementError(
                f"{office.region} {office.first:%Y-%m} 没有可抽样的{label('audit.of_' + wish.what, 'zh')}"
                + (f"(机构 {wish.institution})。" if wish.institution else "。")
            )
        hold(con, "picked", picked)
        rows = _facts(con, month, wish)
    finally:
        con.close()
    keys = picked.select(pl.concat_str(KEYS[wish.what], separator="|")).to_series()
    drawn = Drawn(seed, population, hashlib.sha256("\n".join(keys).encode()).hexdigest(), rows, ())
    target = folder or office.home.month_folder(office.region, office.first) / "samples"
    files = _write(office, wish, drawn, target)
    facts = {
        "from": wish.what, "institution": wish.institution, "seed": seed, "seed_given": bool(wish.seed),
        "count": wish.size.count, "share": str(wish.size.share), "population": population,
        "drawn": rows.height, "digest": drawn.digest, "masked": wish.masked,
    }  # fmt: skip
    with store.writing(office.home) as db:
        store.log.write(db, act, store.Change("sample_draw", {}, facts))
    return Drawn(seed, population, drawn.digest, rows, files)


def derived_seed(office: Office) -> str:
    """The seed nobody chooses: region, month, and the hash of the month's last entry in the log."""
    with office.home.engine.connect() as db:
        _, digest = evidence.head(db, office.region, office.clr_ym)
    return f"{office.region}|{office.clr_ym}|{digest}"


def _populate(con: duckdb.DuckDBPyConnection, month: Month, wish: Wish) -> None:
    """Create `population`: the keys that are drawn from."""
    keys = ", ".join(KEYS[wish.what])
    if wish.what == FINDINGS:
        found = standing.details(month.office)
        hold(con, "finding", standing.identified(month.office, found))
        rows = "finding"
    elif wish.what == LINES:
        # Lines of settlements that were returned stay in the stored part and are no population.
        rows = (
            "(SELECT l.*, s.fixmedins_code FROM accepted_line AS l JOIN accepted_setl AS s USING (setl_id))"
        )
    else:
        rows = "accepted_setl"
    con.execute("SET VARIABLE institution = $1", [wish.institution])
    where = "WHERE fixmedins_code = getvariable('institution')" if wish.institution else ""
    con.execute(f"CREATE TEMP VIEW population AS SELECT {keys} FROM {rows} {where}")


def _facts(con: duckdb.DuckDBPyConnection, month: Month, wish: Wish) -> pl.DataFrame:
    """Return the drawn rows in order, with what is shown of them, persons masked."""
    if wish.what == FINDINGS:
        rows = frame(con, "SELECT p.place, p.pick, f.* FROM finding AS f JOIN picked AS p USING (finding_id)")
    elif wish.what == LINES:
        people = "s.fixmedins_code, s.psn_no, s.psn_name, s.gend, s.brdy"
        rows = frame(
            con,
            f"SELECT p.place, p.pick, {people}, l.* FROM accepted_line AS l "
            "JOIN picked AS p USING (setl_id, bkkp_sn) JOIN accepted_setl AS s USING (setl_id)",
        )
    else:
        sql = "SELECT p.place, p.pick, s.* FROM accepted_setl AS s JOIN picked AS p USING (setl_id)"
        rows = _with_findings(month, frame(con, sql))
    names = month.institutions().select("fixmedins_code", "fixmedins_name")
    rows = rows.drop("fixmedins_name", strict=False).join(names, on="fixmedins_code", how="left")
    return (_hidden(rows) if wish.masked else rows).sort("place")


def _with_findings(month: Month, rows: pl.DataFrame) -> pl.DataFrame:
    found = standing.standing(month.office).findings.group_by("setl_id").agg(
        pl.len().cast(pl.Int64).alias("hits"), pl.col("final_det_sumamt").sum()
    )  # fmt: skip
    return rows.join(found, on="setl_id", how="left").with_columns(
        pl.col("hits").fill_null(0), pl.col("final_det_sumamt").fill_null(0)
    )


def _hidden(rows: pl.DataFrame) -> pl.DataFrame:
    """Mask the persons, in sentences too; of a birthday the year is kept."""
    rows = without_persons(rows, [name for name in TEXTS if name in rows.columns])
    names = [name for name in ("psn_no", "psn_name", "certno") if name in rows.columns]
    if "brdy" in rows.columns:
        rows = rows.with_columns(pl.col("brdy").dt.to_string("%Y"))
    return rows.with_columns(masked(*names))


def _write(office: Office, wish: Wish, drawn: Drawn, folder: Path) -> tuple[Path, ...]:
    """Write workbook, CSV and Parquet; their name says what was drawn, so one sample never covers another."""
    mark = hashlib.sha256(f"{drawn.digest}|{wish.masked}".encode()).hexdigest()[:8]
    stem = f"{label('audit.doc_sample', office.lang)}_{wish.what}_{mark}"
    folder.mkdir(parents=True, exist_ok=True)
    parquet, shapes = folder / f"{stem}.parquet", SHAPES[wish.what]
    drawn.rows.write_parquet(parquet, compression="zstd", statistics=True)
    headers = {name: header(name, office.lang) for name in ("place", *(s[0] for s in shapes))}
    listed = write_csv(csv_frame(drawn.rows, headers), folder / f"{stem}.csv")
    return _workbook(office, wish, drawn, folder / f"{stem}.xlsx"), listed, parquet


def _workbook(office: Office, wish: Wish, drawn: Drawn, path: Path) -> Path:
    rows = in_words(drawn.rows, CODES, office.lang).with_columns(pl.lit("").alias(n) for n, _, _ in ANSWERS)
    if "brdy" in rows.columns and not wish.masked:
        rows = rows.with_columns(pl.col("brdy").dt.to_string("%Y-%m-%d"))
    shapes = (("place", "centre", 6.0), *SHAPES[wish.what], *ANSWERS)
    said = {
        "seed": drawn.seed,
        "kind": label(f"audit.of_{wish.what}", office.lang),
        "institution": wish.institution or label("audit.all", office.lang),
        "population": f"{drawn.population:,}",
        "drawn": f"{drawn.rows.height:,}",
        "size": f"--count {wish.size.count}" if wish.size.count else f"--share {wish.size.share}",
        "digest": drawn.digest,
        "method": label("audit.sample_method", office.lang).format(key="|".join(KEYS[wish.what])),
        "again": label("audit.sample_again", office.lang),
    }
    about = pl.DataFrame(
        [(header(name, office.lang), value) for name, value in said.items()],
        schema={"item": pl.String, "content": pl.String},
        orient="row",
    )
    pages = (
        Page("audit.sheet_sample", rows, shapes, frozen=2, answers=tuple(name for name, _, _ in ANSWERS)),
        Page("audit.sheet_method", about, (("item", "text", 18.0), ("content", "wrap", 90.0))),
    )
    region = policy.load(office.region).label
    subtitle = f"{region} · {office.first:%Y-%m} · {said['kind']}"
    return write_pages(
        path, label("audit.doc_sample", office.lang), subtitle, pages, office.first, office.lang
    )
