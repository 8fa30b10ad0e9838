"""Reference data 参考数据: read a folder of CSV files, refuse it whole when a row is not valid."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandera.errors
import pandera.polars as pa
import polars as pl

from schemas.codes import CODES
from schemas.layout import Table, table
from schemas.reference import REFERENCE
from settlement.cells import NULLS, CodeLists, cast
from settlement.errors import ReferenceError

MODELS: dict[str, type[pa.DataFrameModel]] = {table(model).name: model for model in REFERENCE}
SHOWN = 20
DICT_SPAN_DAYS = 31


def read_folder(folder: Path) -> dict[str, pl.DataFrame]:
    """Read every reference table a folder has.

    Returns:
        Typed frames by table name, in the model's column order.

    Raises:
        ReferenceError: the folder has no reference table, or a table has a fault; all are listed.
    """
    found = {path.stem: path for path in sorted(folder.glob("*.csv")) if path.stem in MODELS}
    if not found:
        raise ReferenceError(f"{folder} 中没有参考数据。可用的文件名:{'、'.join(f'{n}.csv' for n in MODELS)}")
    frames, faults = {}, []
    for name, path in found.items():
        frame, wrong = _read(path, MODELS[name])
        frames[name] = frame
        faults += wrong
    if faults:
        more = f" 等共 {len(faults)} 处" if len(faults) > SHOWN else ""
        raise ReferenceError("参考数据有误,未载入:\n" + "\n".join(faults[:SHOWN]) + more)
    return frames


def _read(path: Path, model: type[pa.DataFrameModel]) -> tuple[pl.DataFrame, list[str]]:
    about = table(model)
    try:
        text = pl.read_csv(path, infer_schema=False, null_values=NULLS, encoding="utf8")
    except pl.exceptions.PolarsError as error:
        return pl.DataFrame(schema=about.schema), [f"{path.name}:无法读取({type(error).__name__})"]
    missing = [c.name for c in about.columns if c.name not in text.columns]
    if missing:
        return pl.DataFrame(schema=about.schema), [f"{path.name}:缺少列 {'、'.join(missing)}"]
    frame = text.select(cast(c).alias(c.name) for c in about.columns)
    return frame, [*_cast_faults(path, text, frame, about), *_model_faults(path, frame, model)]


def _cast_faults(path: Path, text: pl.DataFrame, frame: pl.DataFrame, about: Table) -> list[str]:
    faults = []
    for column in about.columns:
        lost = text[column.name].is_not_null() & frame[column.name].is_null()
        rows = lost.arg_true().to_list()
        faults += [f"{path.name} 第 {r + 2} 行 {column.name}:值无法按 {column.type_label} 读取" for r in rows]
        if column.codes in CODES:
            bad = ~frame[column.name].is_in(list(CODES[column.codes])).fill_null(True)
            rows = bad.arg_true().to_list()
            faults += [f"{path.name} 第 {r + 2} 行 {column.name}:代码不在 {column.codes} 中" for r in rows]
    return faults


def _model_faults(path: Path, frame: pl.DataFrame, model: type[pa.DataFrameModel]) -> list[str]:
    """Faults pandera finds, and validity spans of one key that overlap."""
    faults = []
    try:
        model.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        faults = [
            f"{path.name} 第 {(r['index'] or 0) + 2} 行 {r['column']}:{r['check']}"
            for r in cases.select("index", "column", "check").iter_rows(named=True)
        ]
    about = table(model)
    if about.dated:
        by = [*about.key, "begndate"]
        spans = (
            frame.with_row_index("row")
            .sort(by)
            .with_columns(pl.col("enddate").fill_null(dt.date.max).shift(1).over(about.key).alias("before"))
        )
        bad = spans.filter(
            (pl.col("before") >= pl.col("begndate")) | (pl.col("enddate") < pl.col("begndate"))
        )
    else:
        bad = frame.with_row_index("row").filter(pl.struct(about.key).is_duplicated())
    what = "有效期与同一主键的另一行重叠或颠倒" if about.dated else "主键重复"
    return faults + [f"{path.name} 第 {r + 2} 行:{what}" for r in bad["row"].sort().to_list()]


def code_lists(reference: dict[str, pl.DataFrame], first: dt.date, last: dt.date) -> CodeLists:
    """Give the code lists that judge a month's cells.

    Args:
        reference: loaded reference tables; `dict` replaces the national list type by type.
        first: first day of the claim month.
        last: last day of the claim month.
    """
    since = first - dt.timedelta(days=DICT_SPAN_DAYS)
    schema = table(MODELS["dict"]).schema
    own = reference.get("dict", pl.DataFrame(schema=schema))
    own = own.select("type", "value", "begndate", "enddate")
    good = own.filter(
        (pl.col("begndate") <= since) & (pl.col("enddate").is_null() | (pl.col("enddate") >= last))
    )
    always = {name: list(values) for name, values in CODES.items()}
    for name in own["type"].unique().sort().to_list():
        always[name] = good.filter(pl.col("type") == name)["value"].to_list()
    return CodeLists(always, own, since, last)
