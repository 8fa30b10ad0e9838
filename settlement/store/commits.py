"""Commits: each writing transaction gets a number and a digest of every row it added, in a chain.

The chain of the log takes up the hash of the last commit with every entry, so whoever knows the end of the
log, as each month's 运行证明 shows it, can tell whether any row before it was altered.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from settlement.errors import StoreError
from settlement.store.schema import COMMIT, LOG, STAYING, TRACKED, VERSION

BATCHED = 10_000


@dataclass(frozen=True)
class Commit:
    """A writing transaction: its number, when, and the end of the log as it left it."""

    no: int
    at: str
    log_seq: int
    hash: str


def seal(db: sa.Connection) -> int | None:
    """Put what the open transaction added on record as one commit; None when it added nothing."""
    last = newest(db)
    number = last.no + 1
    added = {
        table.name: _digest(row for _, row in _rows(db, table, table.c.commit_no == number))
        for table in TRACKED
        if db.execute(sa.select(table.c.commit_no).where(table.c.commit_no == number).limit(1)).first()
    }
    if not added:
        return None
    end = db.execute(sa.select(LOG.c.seq, LOG.c.at).order_by(LOG.c.seq.desc()).limit(1)).first()
    facts: dict[str, Any] = {
        "no": number,
        "at": end.at if end else last.at,
        "log_seq": end.seq if end else 0,
        "added": json.dumps(added, sort_keys=True),
        "prev_hash": last.hash,
    }
    db.execute(COMMIT.insert().values(**facts, hash=_hash(facts)))
    return number


def newest(db: sa.Connection) -> Commit:
    """Return the last commit; number 0 when there is none."""
    row = db.execute(_commits().order_by(COMMIT.c.no.desc()).limit(1)).first()
    return Commit(**row._mapping) if row else Commit(0, "", 0, "")


def every(db: sa.Connection) -> list[Commit]:
    """Return all commits in order."""
    return [Commit(**row._mapping) for row in db.execute(_commits().order_by(COMMIT.c.no))]


def at(db: sa.Connection, moment: str) -> Commit:
    """Return the last commit up to a moment.

    Args:
        db: the record.
        moment: `YYYY-MM-DD`, which means the end of that day, `YYYY-MM-DD HH:MM[:SS]`, or the number of a
            commit as `#12`, which also tells two commits in one second apart.

    Raises:
        StoreError: it is none of these, or nothing was on record by then.
    """
    if moment.startswith("#") and moment[1:].isdigit():
        condition = COMMIT.c.no == int(moment[1:])
    else:
        condition = (COMMIT.c.at != "") & (COMMIT.c.at <= _until(moment))
    row = db.execute(_commits().where(condition).order_by(COMMIT.c.no.desc()).limit(1)).first()
    if row is None and moment.startswith("#"):
        raise StoreError(
            f"没有提交 {moment},最新的是 #{newest(db).no}。settle history commits 列出各次提交。"
        )
    if row is None:
        first = db.execute(sa.select(sa.func.min(COMMIT.c.at))).scalar() or "(无)"
        raise StoreError(f"{moment} 之前没有登记。最早的登记在 {first}。")
    return Commit(**row._mapping)


def _until(moment: str) -> str:
    try:
        given = dt.datetime.fromisoformat(moment)
    except ValueError:
        raise StoreError(f"时刻应为 YYYY-MM-DD、YYYY-MM-DD HH:MM[:SS] 或提交号 #N,收到 {moment}。") from None
    return f"{moment}T99" if len(moment) == len("2026-05-12") else f"{given:%Y-%m-%dT%H:%M:%S}"


def breaks(db: sa.Connection) -> Iterator[str]:
    """Say what is not as it was committed: the chain, rows changed, lacking or added, by table and commit."""
    made = db.execute(sa.select(COMMIT).order_by(COMMIT.c.no)).fetchall()
    yield from _chain(db, made)
    known: dict[int | None, dict[str, list[Any]]] = {row.no: json.loads(row.added) for row in made}
    for table in TRACKED:
        found: dict[int | None, list[Any]] = {}
        for number, rows in groupby(_rows(db, table), key=lambda pair: pair[0]):
            found[number] = _digest(row for _, row in rows)
        wanted = {number: tables[table.name] for number, tables in known.items() if table.name in tables}
        for number in sorted({*found, *wanted}, key=lambda n: n or 0):
            if found.get(number) != wanted.get(number):
                yield _words(db, table.name, number, found.get(number), wanted.get(number))
    yield from _altered(db)


def _chain(db: sa.Connection, made: Sequence[Any]) -> Iterator[str]:
    """Where one commit does not follow from the one before, or the log took up another hash of it."""
    hashes = {0: ""}
    for place, row in enumerate(made, 1):
        if row.no != place or row.prev_hash != hashes.get(place - 1) or _hash(dict(row._mapping)) != row.hash:
            yield f"提交 {row.no} 与前一次不相接,或内容与其摘要不符"
        hashes[row.no] = row.hash
    told = sa.select(LOG.c.seq, LOG.c.commit_no, LOG.c.record_hash).where(LOG.c.record_hash.is_not(None))
    for row in db.execute(told.order_by(LOG.c.seq)):
        if row.record_hash != hashes.get((row.commit_no or 0) - 1):
            yield f"日志第 {row.seq} 条所记的前一次提交的摘要与登记不符"


def _words(
    db: sa.Connection, table: str, number: int | None, found: list[Any] | None, wanted: list[Any] | None
) -> str:
    """Say what of a commit differs, and who made it."""
    now, was = (found or [0])[0], (wanted or [0])[0]
    told = sa.select(LOG.c.seq, LOG.c.actor, LOG.c.action, LOG.c.subject).where(LOG.c.commit_no == number)
    entry = db.execute(told.order_by(LOG.c.seq).limit(1)).first()
    whose = f"(日志第 {entry.seq} 条起,{entry.actor} {entry.action} {entry.subject})" if entry else ""
    what = f"登记 {was} 行,现有 {now} 行" if now != was else f"{now} 行中有被改动的"
    made = f"提交 {number}" if number is not None else "不属于任何提交的行"
    return f"表 {table} {made}{whose}:{what}"


def _altered(db: sa.Connection) -> Iterator[str]:
    """Rows that may change and are not as they were last seen."""
    for table in STAYING:
        last = {key: facts for key, facts in _last(db, table.name)}
        for row in db.execute(sa.select(table)):
            key = "|".join(str(row._mapping[c.name]) for c in table.primary_key.columns)
            if key not in last or decoded(table, last.pop(key)) != dict(row._mapping):
                yield f"表 {table.name} 的行 {key} 与登记的最后一次不符"
        for key in last:
            yield f"表 {table.name} 的行 {key} 缺失"


def _last(db: sa.Connection, name: str, until: int | None = None) -> Iterator[tuple[str, str]]:
    ends = sa.select(sa.func.max(VERSION.c.id)).where(VERSION.c.of == name).group_by(VERSION.c.key)
    if until is not None:
        ends = ends.where(VERSION.c.commit_no <= until)
    query = sa.select(VERSION.c.key, VERSION.c.facts).where(VERSION.c.id.in_(ends)).order_by(VERSION.c.id)
    for row in db.execute(query):
        yield row.key, row.facts


def rows_at(db: sa.Connection, table: sa.Table, until: int) -> Iterator[dict[str, Any]]:
    """Give the rows of a table whose rows may change, as they were after a commit."""
    for _, facts in _last(db, table.name, until):
        yield decoded(table, facts)


def decoded(table: sa.Table, facts: str) -> dict[str, Any]:
    """Read a row as `row_version` holds it; both databases write it in their own way."""
    said = json.loads(facts)
    return {column.name: _value(column, said.get(column.name)) for column in table.columns}


def _value(column: sa.Column[Any], said: Any) -> Any:  # noqa: ANN401 - of any column
    if said is None:
        return None
    if isinstance(column.type, sa.Boolean):
        return bool(said)
    if isinstance(column.type, sa.Date):
        return dt.date.fromisoformat(said)
    if isinstance(column.type, sa.JSON) and isinstance(said, str):
        return json.loads(said)
    return said


def _commits() -> sa.Select[Any]:
    return sa.select(COMMIT.c.no, COMMIT.c.at, COMMIT.c.log_seq, COMMIT.c.hash)


def _rows(
    db: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]
) -> Iterator[tuple[int | None, tuple[Any, ...]]]:
    """Give rows with their commit, in order of commits; the largest table has many."""
    own = [c for c in table.columns if c.name != "commit_no"]
    query = sa.select(table.c.commit_no, *own).where(*where).order_by(table.c.commit_no)
    for row in db.execute(query.execution_options(yield_per=BATCHED)):
        yield row[0], tuple(row[1:])


def _digest(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Return how many rows there are, and the SHA-256 of what they say, in whatever order."""
    said = sorted(json.dumps(row, ensure_ascii=False, sort_keys=True, default=str) for row in rows)
    return [len(said), hashlib.sha256("\n".join(said).encode()).hexdigest()]


def _hash(facts: dict[str, Any]) -> str:
    said = [facts[name] for name in ("no", "at", "log_seq", "added", "prev_hash")]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
