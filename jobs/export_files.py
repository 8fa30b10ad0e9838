"""The files of an export: a relation written as Parquet or CSV, read back, counted and summed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from settlement import store
from settlement.errors import InvariantBroken
from settlement.money import CENT
from settlement.reports.frames import FORMULA, NUMBER


@dataclass(frozen=True)
class Part:
    """One file of an export.

    Attributes:
        name: name of the file without suffix.
        relation: table or view of the engine.
        order: columns it is sorted by.
        owner: table of `schemas` whose labels its columns have, empty when none.
        masked: columns that are not as they stand on record.
    """

    name: str
    relation: str
    order: tuple[str, ...]
    owner: str
    masked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """A file as written: rows, digest, sums (元) of its money columns, columns with their SQL types."""

    name: str
    path: Path
    rows: int
    digest: str
    sums: dict[str, Decimal]
    columns: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """Return the file's entry in the manifest."""
        return {
            "file": self.path.name,
            "rows": self.rows,
            "sha256": self.digest,
            "sums": {name: str(amount) for name, amount in self.sums.items()},
            "columns": [{"name": name, "type": kind} for name, kind in self.columns],
        }


def write(con: duckdb.DuckDBPyConnection, part: Part, folder: Path, kind: str) -> Written:
    """Write a relation as `parquet` or `csv` and read it back.

    Raises:
        InvariantBroken: rows or sums read back are not those of the relation.
    """
    columns = [(r[0], r[1]) for r in con.execute(f"DESCRIBE {part.relation}").fetchall()]
    path, made = folder / f"{part.name}.{kind}", folder / f".{part.name}.{kind}"
    for former in folder.glob(f"{part.name}.*"):
        former.unlink()
    shown = ", ".join(_cell(name, dtype) if kind == "csv" else f'"{name}"' for name, dtype in columns)
    # Every column after the key: rows that share it have one order too.
    every = dict.fromkeys((*part.order, *(name for name, _ in columns)))
    order = ", ".join(f'"{name}"' for name in every)
    place = str(made).replace("'", "''")
    layout = "FORMAT csv, HEADER" if kind == "csv" else "FORMAT parquet, COMPRESSION zstd"
    con.execute(f"COPY (SELECT {shown} FROM {part.relation} ORDER BY {order}) TO '{place}' ({layout})")
    money = [name for name, dtype in columns if dtype.startswith("DECIMAL") and dtype.endswith(",2)")]
    there = _totals(con, part.relation, money)
    reader = "read_csv" if kind == "csv" else "read_parquet"
    back = _totals(
        con, f"{reader}('{place}'{', all_varchar = true, header = true' if kind == 'csv' else ''})", money
    )
    if there != back:
        raise InvariantBroken(f"{made} 写入后读回不一致:应为 {there},读回 {back}。请检查磁盘后重新导出。")
    made.replace(path)
    return Written(part.name, path, there[0], store.file_digest(path), there[1], tuple(columns))


def _cell(name: str, dtype: str) -> str:
    """A CSV cell: a text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if dtype != "VARCHAR":
        return f'"{name}"'
    unsafe = f"regexp_matches(\"{name}\", '{FORMULA}') AND NOT regexp_matches(\"{name}\", '{NUMBER}')"
    return f'CASE WHEN {unsafe} THEN \'\'\'\' || "{name}" ELSE "{name}" END AS "{name}"'


def _totals(
    con: duckdb.DuckDBPyConnection, relation: str, money: list[str]
) -> tuple[int, dict[str, Decimal]]:  # fmt: skip
    sums = "".join(f', coalesce(sum("{name}"::DECIMAL(18,2)), 0)' for name in money)
    row = con.execute(f"SELECT count(*){sums} FROM {relation}").fetchall()[0]
    return int(row[0]), {name: yuan(value) for name, value in zip(money, row[1:], strict=True)}


def yuan(value: Any) -> Decimal:  # noqa: ANN401 - text or number
    """Return an amount with two places."""
    return Decimal(value).quantize(CENT)
