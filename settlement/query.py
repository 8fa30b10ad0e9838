"""Between polars and DuckDB: the same on every version we run on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

AT_ONCE = 2  # queries


def open_engine(memory: str, spill: Path) -> duckdb.DuckDBPyConnection:
    """Open an engine of its own with a memory limit and a folder to spill into.

    Rows keep no order by themselves: whatever is published is sorted by key, and not keeping the
    order of reading is a quarter cheaper.
    """
    config: dict[str, Any] = {
        "memory_limit": memory,
        # Memory once used is kept for the next query: giving it back and asking again cost a fourteenth.
        "block_allocator_memory": memory,
        "temp_directory": str(spill),
        "preserve_insertion_order": False,
    }
    return duckdb.connect(config=config)


@contextmanager
def at_once(con: duckdb.DuckDBPyConnection) -> Iterator[ThreadPoolExecutor]:
    """A pool for several queries at a time, each on a cursor of its own.

    One query alone leaves cores idle while it is planned and while it gathers its last rows. The engine's
    own threads make way meanwhile, or they would be more than there are cores.
    """
    [(threads,)] = con.execute("SELECT current_setting('threads')").fetchall()
    con.execute(f"SET threads = {max(1, threads + 1 - AT_ONCE)}")
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield pool
    finally:
        con.execute(f"SET threads = {threads}")


def frame(
    con: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any] | list[Any] | None = None
) -> pl.DataFrame:
    """Run a query and return its rows as a frame, decimals kept exact."""
    rows: pl.DataFrame = con.sql(sql, params=values).pl()
    return rows


def hold(con: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame, columns: str = "*") -> None:
    """Hold a frame as a table of the engine; `columns` is what is selected from it.

    A table and not a registered frame, because some joins push filters that a registered one refuses.
    """
    con.register("incoming", rows.to_arrow())
    con.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT {columns} FROM incoming')
    con.unregister("incoming")


def sql_type(dtype: Any) -> str:  # noqa: ANN401 - a polars type
    """Return DuckDB's name of a polars type."""
    if isinstance(dtype, pl.Decimal):
        return f"DECIMAL({dtype.precision},{dtype.scale})"
    names = {pl.Date: "DATE", pl.Datetime: "TIMESTAMP", pl.Int64: "BIGINT"}
    return names.get(dtype.base_type(), "VARCHAR")


def empty_sql(name: str, schema: dict[str, Any]) -> str:
    """Return the statement that creates an empty table."""
    columns = ", ".join(f"{column} {sql_type(dtype)}" for column, dtype in schema.items())
    return f"CREATE OR REPLACE TABLE {name} ({columns});"
