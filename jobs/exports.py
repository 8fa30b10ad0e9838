"""The full population of a month as files, for auditors who work with programs of their own.

Masked exports hold keyed pseudonyms instead of persons, so tables and months can still be joined. The key
stays in the home; without it nobody can tell whether a person is in the export.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from jobs import documents, export_files, publishing, standing
from jobs.books import Month, connect, month_rows, open_month
from jobs.export_files import Part, Written
from jobs.faults import returned_rows, without_positions
from jobs.office import Office, permit
from jobs.progress import Progress, quiet
from settlement import pseudonyms, store
from settlement.errors import InvariantBroken, SettlementError
from settlement.masking import HIDDEN
from settlement.query import frame, hold
from settlement.reports.export_readme import readme
from settlement.reports.fields import personal_fields
from settlement.store import books, evidence, keys, payments

FORMATS = ("parquet", "csv")
ACCOUNTS = ("bankacct", "payer_acct", "acctname")
# What people or rules wrote in sentences.
TEXTS = (
    "vola_cont", "vola_cont_en", "evidence", "reason", "attachments", "filled_by", "message", "note",
    "before", "after", "subject", "fail_reason",
)  # fmt: skip
# Rows as they were sent: table, file name, sorted by.
SENT: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("accepted_clr_sum", "declared", ("fixmedins_code", "insutype", "clr_type"), "clr_sum"),
    ("accepted_setl", "settlements", ("setl_id",), "setl_d"),
    ("accepted_line", "lines", ("setl_id", "bkkp_sn"), "fee_list_d"),
    ("accepted_setl_list_diag_d", "diagnoses", ("setl_id", "diag_code"), "setl_list_diag_d"),
    ("accepted_setl_list_oprn_d", "operations", ("setl_id", "oprn_oprt_code", "oprn_oprt_date"),
     "setl_list_oprn_d"),
)  # fmt: skip
OPTIONAL = ("diagnoses", "operations")


@dataclass(frozen=True)
class Exported:
    """An export: its folder, what `manifest.json` says, and the last export's key if it was another."""

    folder: Path
    manifest: dict[str, Any]
    other_key: str = ""


def export(
    office: Office, folder: Path, *, masked: bool, kind: str = "parquet", progress: Progress = quiet
) -> Exported:
    """Write everything of a month into `folder/<region>/<yyyy-MM>` and put the export on record.

    Args:
        office: whose month, and who exports.
        folder: where to.
        masked: pseudonyms instead of persons, accounts hidden.
        kind: `parquet` or `csv`.
        progress: called with step, done, total.

    Raises:
        ProcedureError: the actor may not export.
        SettlementError: nothing on record for the month, an unknown format.
        InvariantBroken: rows or money in the files are not those accepted; there is no manifest then.
    """
    act = permit(office, "export")
    if kind not in FORMATS:
        raise SettlementError(f"不能导出为 {kind},可用:{'、'.join(FORMATS)}。")
    month = open_month(office, pinned=documents.last_run(office))
    target = folder / office.region / f"{office.first:%Y-%m}"
    target.mkdir(parents=True, exist_ok=True)
    (target / "manifest.json").unlink(missing_ok=True)  # what lies there is no whole export from here on
    key = keys.pseudonym_key(office.home) if masked else b""
    con = connect(month)
    try:
        parts = _parts(con, month, key)
        written = []
        for done, part in enumerate(parts):
            progress("导出", done, len(parts))
            written.append(export_files.write(con, part, target, kind))
        progress("导出", len(parts), len(parts))
    finally:
        con.close()
    _check(month, {w.name: w for w in written})
    manifest = _manifest(office, written, key)
    (target / "README.md").write_text(readme(manifest, parts), encoding="utf-8")
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    store.write_bytes(target / "manifest.json", text.encode("utf-8"))
    facts = {"masked": masked, "format": kind, "manifest": store.file_digest(target / "manifest.json")}
    told = {**facts, "rows": sum(w.rows for w in written), **({"key": keys.fingerprint(key)} if key else {})}
    with store.writing(office.home) as db:
        former = [said["key"] for said in store.log.told_of(db, "export") if said["masked"]][-1:]
        store.log.write(db, act, store.Change("export", {}, told))
    return Exported(target, manifest, *(k for k in former if key and k != keys.fingerprint(key)))


def _parts(con: duckdb.DuckDBPyConnection, month: Month, key: bytes) -> list[Part]:
    """Create one relation per file and say how each is sorted."""
    month_rows(con, month)
    frames = _frames(month)
    known = _known(con, frames, key) if key else None
    parts = []
    for relation, name, order, owner in SENT:
        own = f"SELECT * FROM {relation}"
        if owner in ("fee_list_d", "setl_list_diag_d", "setl_list_oprn_d"):
            # Rows of settlements that were returned stay in the stored part.
            own = f"{own} SEMI JOIN accepted_setl USING (setl_id)"
        con.execute(f"CREATE TEMP VIEW out_{name} AS {_masked_sql(con, own) if key else own}")
        part = Part(name, f"out_{name}", order, owner, _masked_columns(con, f"({own})") if key else ())
        if name not in OPTIONAL or con.execute(f"SELECT 1 FROM out_{name} LIMIT 1").fetchall():
            parts.append(part)
    for name, (rows, order, owner) in frames.items():
        shown = _masked(rows, known) if known is not None else rows
        hold(con, f"out_{name}", shown)
        changed = tuple(c for c in rows.columns if known is not None and _hides(c))
        parts.append(Part(name, f"out_{name}", order, owner, changed))
    return parts


def _frames(month: Month) -> dict[str, tuple[pl.DataFrame, tuple[str, ...], str]]:
    """Everything that is no row as sent: name -> rows, sorted by, table that labels its columns."""
    office = month.office
    now, settled = standing.standing(office), publishing.settled(office)
    run, faults = documents.last_run(office), without_positions(returned_rows(month))
    used = pl.col("path").is_in(list(run["basis"].get("reference", {}).values()))
    with office.home.engine.connect() as db:
        mine = (db, office.region, office.clr_ym)
        batch = evidence.batches_of(db, office.region).filter(pl.col("clr_ym") == office.clr_ym)
        steps = evidence.actors_of_steps(db).join(batch.select("batch_id", "fixmedins_code"), on="batch_id")
        found: dict[str, tuple[pl.DataFrame, tuple[str, ...], str]] = {
            "returned": (faults, ("fixmedins_code", "setl_id", "column"), "returned"),
            "findings": (now.findings, ("finding_id",), "findings"),
            "finding_funds": (now.finding_funds, ("finding_id", "fund_pay_type"), "finding_funds"),
            "replies": (evidence.every_reply(*mine), ("finding_id", "turn"), "findings"),
            "decisions": (evidence.every_decision(*mine), ("finding_id", "turn"), "findings"),
            "batches": (batch, ("fixmedins_code",), ""),
            "steps": (steps, ("batch_id", "seq"), ""),
            "ledger": (
                books.entries(*mine).drop("^.*_fen$"),
                ("fixmedins_code", "fund_pay_type", "book", "seq"), "",
            ),
            "orders": (payments.orders(*mine).drop("amount_fen"), ("business_no",), ""),
            "log": (evidence.log_of(*mine), ("seq",), ""),
            "references": (
                evidence.references(db, office.region).with_columns(used.alias("used")).drop("path"),
                ("name", "loaded_on", "digest"), "",
            ),
        }  # fmt: skip
    if settled:
        found |= {
            "clearing": (settled.clearing, ("fixmedins_code", "insutype", "clr_type"), "clearing"),
            "clearing_fund": (settled.clearing_fund, ("fixmedins_code", "fund_pay_type"), "clearing_fund"),
            "payment": (settled.payment, ("fixmedins_code", "fund_pay_type"), "payment"),
        }
    return found


def _known(
    con: duckdb.DuckDBPyConnection, frames: dict[str, tuple[pl.DataFrame, tuple[str, ...], str]], key: bytes
) -> pl.DataFrame:
    """Work out the pseudonym of every personal value of the month, and hold them for SQL."""
    columns = [c for c, t in _described(con, "SELECT * FROM accepted_setl") if _personal(c, t)]
    each = " UNION ALL ".join(
        f"SELECT DISTINCT '{c}' AS field, {c} AS value FROM accepted_setl" for c in columns
    )
    sent = frames["returned"][0].filter(pl.col("column").is_in(sorted(personal_fields())))
    values = pl.concat([frame(con, each), sent.select(pl.col("column").alias("field"), "value")])
    known = pseudonyms.pseudonyms(key, values)
    hold(con, "pseudonym", known)
    return known


def _described(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in con.execute(f"DESCRIBE {sql}").fetchall()]


def _personal(column: str, sql_type: str) -> bool:
    return column in personal_fields() and sql_type == "VARCHAR"


def _hides(column: str) -> bool:
    """Whether a masked export changes a column of a frame."""
    return column in personal_fields() or column in ACCOUNTS or column in TEXTS or column == "value"


def _masked_columns(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[str, ...]:
    """Return the columns of a relation that a masked export changes."""
    return tuple(c for c, _ in _described(con, f"SELECT * FROM {sql}") if c in personal_fields())


def _masked_sql(con: duckdb.DuckDBPyConnection, own: str) -> str:
    """Return a SELECT with pseudonyms joined in; of a day that tells a person the year is left."""
    described = _described(con, own)
    fields = [c for c, t in described if _personal(c, t)]
    shown = {c: f"p_{c}.pseudonym" for c in fields}
    shown |= {c: f"strftime({c}, '%Y')" for c, _ in described if c in personal_fields() and c not in fields}
    names = ", ".join(f"{shown[c]} AS {c}" if c in shown else f"t.{c}" for c, _ in described)
    joins = " ".join(
        f"LEFT JOIN pseudonym AS p_{c} ON p_{c}.field = '{c}' AND p_{c}.value = t.{c}" for c in fields
    )
    return f"SELECT {names} FROM ({own}) AS t {joins}"


def _masked(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with persons replaced, in sentences too, and accounts hidden."""
    for column in [c for c in rows.columns if c in personal_fields()]:
        rows = pseudonyms.replaced(rows, column, column, known)
    if "value" in rows.columns:  # a cell as it was sent; `column` says of which field
        named = pl.col("column").is_in(sorted(personal_fields()))
        hidden = pseudonyms.replaced(rows.filter(named), "value", pl.col("column"), known)
        rows = pl.concat([rows.filter(~named.fill_null(value=False)), hidden])
    stars = [pl.lit(HIDDEN).alias(c) for c in ACCOUNTS if c in rows.columns]
    return pseudonyms.in_sentences(rows, TEXTS, known).with_columns(stars)


def _check(month: Month, written: dict[str, Written]) -> None:
    """What was accepted is what lies in the files, row by row and to the 分.

    Raises:
        InvariantBroken: naming every count or sum that differs.
    """
    counts = [s["facts"]["counts"] for s in month.accepted]
    setl, line = written["settlements"], written["lines"]
    wanted = {"setl_accepted": setl.rows, "line_accepted": line.rows}
    pairs: list[tuple[str, Any, Any]] = [
        (name, sum(c.get(name, 0) for c in counts), found) for name, found in wanted.items()
    ]
    sums = {"medfee_accepted": "medfee_sumamt", "fund_accepted": "fund_pay_sumamt"}
    for name, column in sums.items():
        pairs.append((name, sum(export_files.yuan(c.get(name, "0.00")) for c in counts), setl.sums[column]))
    broken = [f"{name}:受理 {left},导出 {right}" for name, left, right in pairs if left != right]
    if broken:
        raise InvariantBroken(f"{month.region} {month.first:%Y-%m} 导出与受理不符:" + ";".join(broken))


def _manifest(office: Office, written: list[Written], key: bytes) -> dict[str, Any]:
    with office.home.engine.connect() as db:
        seq, digest = evidence.head(db, office.region, office.clr_ym)
    return {
        "region": office.region,
        "month": f"{office.first:%Y-%m}",
        "run": store.newest(office.home, office.region, office.first)["fingerprint"],
        "log": {"seq": seq, "hash": digest},
        "masked": bool(key),
        "pseudonym_key": keys.fingerprint(key) if key else "",
        "files": [w.as_json() for w in written],
    }
