"""A question can harm nothing: one SELECT, no file but those of its views, bounded memory and time."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from settlement.errors import QueryError
from settlement.history.branches import quoted
from settlement.history.declared import VIEWS

# A question may begin so; what else DuckDB calls a SELECT (PRAGMA, CALL in some versions) may not.
WORDS = ("SELECT", "WITH", "FROM", "VALUES", "TABLE", "DESCRIBE", "SUMMARIZE", "SHOW", "EXPLAIN")
SPILL_LIMIT = "20GB"
BATCH_ROWS = 50_000
_LEADING = re.compile(r"^(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.S)
_EXPLAIN = re.compile(r"EXPLAIN(\s+ANALYZE)?\s+(.*)", re.S | re.I)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B", re.I)
# What these say quotes the question; what others say may quote a value.
_ABOUT_SQL = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.SyntaxException)


@dataclass(frozen=True)
class Limits:
    """What a question may cost.

    Attributes:
        memory: memory of the engine, and of the rows it returns, e.g. `2GB`.
        seconds: time to answer.
    """

    memory: str = "2GB"
    seconds: float = 60

    @property
    def bytes(self) -> int:
        """The memory in bytes; QueryError when it is not a size."""
        found = _SIZE.fullmatch(self.memory.strip())
        if not found or not float(found[1]):
            raise QueryError(f"内存上限 {self.memory!r} 不是大小,请写成 2GB、500MB 之类。")
        power = " KMGT".index(found[2].upper() or " ")
        return int(float(found[1]) * (1024 if found[3] else 1000) ** power)


def checked(sql: str) -> tuple[str, bool]:
    """Return a question that only reads, and whether it is an EXPLAIN.

    Raises:
        QueryError: it is not exactly one SELECT or EXPLAIN of one.
    """
    _refuse_others(sql)
    text = sql.strip().removesuffix(";")
    begins = _LEADING.sub("", text, count=1)
    word = re.split(r"\W", begins, maxsplit=1)[0].upper()
    if word == "EXPLAIN":
        inner = _EXPLAIN.fullmatch(begins)
        if not inner or checked(inner[2])[1]:
            raise QueryError("EXPLAIN 之后须是一条 SELECT 查询。")
        return begins, True
    if word not in WORDS:
        raise QueryError(f"只能查询:语句须是一条 SELECT(或 EXPLAIN),收到 {word or '空'}。")
    return text, False


def _refuse_others(sql: str) -> None:
    """Refuse a text that is not one statement, or a statement that does something."""
    try:
        found = duckdb.extract_statements(sql)
    except duckdb.Error as fault:
        raise QueryError(f"查询有误:{_first(fault)}") from fault
    if len(found) != 1:
        raise QueryError(f"一次只能执行一条查询,收到 {len(found)} 条。")
    if found[0].type.name not in ("SELECT", "EXPLAIN"):
        raise QueryError(f"只能查询:语句须是一条 SELECT(或 EXPLAIN),收到 {found[0].type.name}。")


def named_views(sql: str) -> list[str]:
    """Return the views that a question names; only these are built."""
    words = {word.lower() for word in re.findall(r"\w+", sql)}
    return [name for name in VIEWS if name in words]


def connect(limits: Limits, spill: Path) -> duckdb.DuckDBPyConnection:
    """Open an engine in memory that loads nothing from outside."""
    config: dict[str, Any] = {
        "memory_limit": f"{limits.bytes}B",
        "temp_directory": str(spill),
        "max_temp_directory_size": SPILL_LIMIT,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
    }
    return duckdb.connect(config=config)


def hold(con: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame) -> None:
    """Hold a frame as a table; not a temporary one, which a reading transaction would let be changed."""
    con.register("incoming", rows.to_arrow())
    con.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
    con.unregister("incoming")


def lock(con: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    """Close every way out but the files of the views; nothing can be set afterwards."""
    con.execute(f"SET allowed_paths = [{', '.join(quoted(str(path)) for path in files)}]")
    con.execute("SET enable_progress_bar = false")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def fetch(
    con: duckdb.DuckDBPyConnection, sql: str, limits: Limits, most: int | None = None
) -> tuple[pl.DataFrame, int]:
    """Run a checked question.

    Args:
        con: a locked connection.
        sql: what `checked` returned.
        limits: what it may cost.
        most: how many rows to keep; the others are only counted.

    Returns:
        The rows, and how many more there are.

    Raises:
        QueryError: it cannot be answered, or not within the limits.
    """
    with _limited(con, limits) as late:
        # What a statement inside a SELECT would change is refused by the transaction.
        con.execute("BEGIN TRANSACTION READ ONLY")
        reader = con.sql(sql).to_arrow_reader(BATCH_ROWS)
        kept: list[pa.RecordBatch] = []
        count = size = 0
        for batch in reader:
            if late.is_set():  # an interruption between two batches may go unseen
                raise QueryError(_too_late(limits))
            count += batch.num_rows
            room = batch.num_rows if most is None else max(most - sum(b.num_rows for b in kept), 0)
            if room:
                kept.append(batch.slice(0, room))
                size += kept[-1].nbytes
            if size > limits.bytes:
                raise QueryError(
                    f"查询结果超过内存上限 {limits.memory}。请加条件、少选列,或用 --memory 提高。"
                )
        arrow = pa.Table.from_batches(kept, schema=reader.schema)
    return _frame(arrow), count - arrow.num_rows


@contextmanager
def _limited(con: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[threading.Event]:
    """Stop a question when its time is over, and say in our words what went wrong."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        con.interrupt()

    timer = threading.Timer(limits.seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield late
    except (duckdb.Error, pa.ArrowException, RuntimeError, OSError) as fault:  # Arrow passes faults on so
        raise QueryError(_refusal(fault, limits, late.is_set())) from fault
    finally:
        timer.cancel()


def _refusal(fault: Exception, limits: Limits, late: bool) -> str:
    words = str(fault)
    if late:
        return _too_late(limits)
    if isinstance(fault, duckdb.OutOfMemoryException) or "Out of Memory" in words:
        return f"查询超过内存上限 {limits.memory},已中止。请加条件或少选列,或用 --memory 提高上限。"
    if isinstance(fault, duckdb.PermissionException) or "Permission Error" in words:
        return f"查询只能读取视图({'、'.join(VIEWS)}),不能访问文件、网络或设置。"
    if isinstance(fault, duckdb.TransactionException):
        return "只能查询:语句中不能有增加、更改或删除。"
    if isinstance(fault, _ABOUT_SQL):
        return f"查询有误:{_first(fault)}"
    return f"查询不能完成({type(fault).__name__})。请检查其中的类型转换与计算。"


def _too_late(limits: Limits) -> str:
    return f"查询超过 {limits.seconds:g} 秒,已中止。请加上统筹区、年月或机构等条件,或用 --seconds 提高上限。"


def _first(fault: Exception) -> str:
    return next(iter(str(fault).splitlines()), type(fault).__name__)


def _frame(arrow: pa.Table) -> pl.DataFrame:
    """Arrow rows as a frame; two columns of one name are told apart by a number."""
    names: list[str] = []
    for name in arrow.column_names:
        number, free = 1, name
        while free in names:
            number, free = number + 1, f"{name}_{number}"
        names.append(free)
    return pl.DataFrame([_series(*column) for column in zip(names, arrow.columns, strict=True)])


def _series(name: str, values: pa.ChunkedArray) -> pl.Series:
    try:
        return pl.Series(name, values)
    except (
        pl.exceptions.PolarsError,
        pa.ArrowException,
        TypeError,
        ValueError,
        NotImplementedError,
    ) as fault:
        words = f"列 {name} 的类型 {values.type} 不能输出,请用 CAST(… AS VARCHAR) 转为文字。"
        raise QueryError(words) from fault
