"""Backups: a consistent copy of the database, the files it names, and a manifest of digests.

The database is copied first. Files are only ever added and are on the disk before a row names them, so
whatever is copied afterwards holds every file that the copy of the database names, while months go on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from jobs import holder
from settlement import procedure, settings, store
from settlement.errors import StoreError
from settlement.store import kept

FOLDER, STORE, RECEIVED, CALENDARS = "backups", "store", "received", "calendars"
MANIFEST = "manifest.json"
SQLITE, DUMP = "settlement.db", "settlement.dump"
# Not under its own name: a copy that is opened must not write to the database of the original.
SETTINGS = f"{settings.FILE}.saved"
# Never changed once they are there, so a former backup's copy is as good as a new one.
IMMUTABLE = (STORE, RECEIVED)
MAKING = ".making-"
CHUNK = 1 << 20


def make(home: store.Store, now: dt.datetime, prune: bool = False) -> Path:
    """Make a backup beside the former ones; what both have in common is one file on the disk.

    Args:
        home: the store; months may go on meanwhile.
        now: the moment, which gives the folder its name.
        prune: remove the oldest beyond `schedule.keep_backups` afterwards.

    Returns:
        The backup's folder.

    Raises:
        StoreError: PostgreSQL cannot be dumped from here.
    """
    base, former = folder(home), newest(home)
    base.mkdir(parents=True, exist_ok=True)
    _clear(base)
    work = base / f"{MAKING}{holder.me()}"
    work.mkdir()
    try:
        with home.engine.connect() as db:
            head = kept.log_hash(db)
        database = _copy_database(home, work)
        copied = _copy_files(home.home, work, former)
        if (home.home / settings.FILE).is_file():
            shutil.copyfile(home.home / settings.FILE, work / SETTINGS)
            (work / SETTINGS).chmod(0o600)
        facts = {"made_at": now.isoformat(timespec="seconds"), "database": database.name, "log": head}
        files = {**copied, database.name: store.file_digest(database)}
        text = json.dumps({**facts, "files": dict(sorted(files.items()))}, ensure_ascii=False, indent=1)
        (work / MANIFEST).write_text(f"{text}\n", encoding="utf-8")
        _reach_the_disk(work / MANIFEST, database)
        target = _free(base, f"{now:%Y%m%d-%H%M%S}")
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if prune:
        _prune(home, now.date(), target)
    return target


def folder(home: store.Store) -> Path:
    """Return where the backups of a home are."""
    return Path(home.settings.schedule.backup_folder or home.home / FOLDER)


def newest(home: store.Store) -> Path | None:
    """Return the newest backup; None when there is none."""
    made = _made(folder(home))
    return made[-1] if made else None


def broken(backup: Path) -> list[str]:
    """Return the files of a backup that are missing or not what its manifest says."""
    wanted = _manifest(backup)["files"]
    return [
        path
        for path, digest in wanted.items()
        if not (backup / path).is_file() or store.file_digest(backup / path) != digest
    ]


def _made(base: Path) -> list[Path]:
    return sorted(path.parent for path in base.glob(f"[!.]*/{MANIFEST}"))


def _manifest(backup: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))
    return found


def _clear(base: Path) -> None:
    """Remove what a backup that was cut off has left, one of this process included."""
    for left in base.glob(f"{MAKING}*"):
        name = left.name.removeprefix(MAKING)
        if name == holder.me() or holder.gone(name):
            shutil.rmtree(left, ignore_errors=True)


def _copy_database(home: store.Store, work: Path) -> Path:
    url = home.engine.url
    if url.get_backend_name() == "postgresql":
        return _dump(home, work / DUMP)
    with (
        closing(sqlite3.connect(str(url.database))) as source,
        closing(sqlite3.connect(work / SQLITE)) as copy,
    ):
        source.backup(copy)
    return work / SQLITE


def _dump(home: store.Store, target: Path) -> Path:
    """Dump PostgreSQL; the password goes by the environment, where other users do not see it."""
    program = shutil.which("pg_dump")
    if program is None:
        raise StoreError(
            "没有 pg_dump,不能备份 PostgreSQL 数据库。请安装与服务器同版本的 postgresql-client,"
            "或由数据库管理员另行备份。"
        )
    url = home.engine.url
    address = url.set(drivername="postgresql", password=None).render_as_string()
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    command = [program, "--format=custom", f"--file={target}", f"--dbname={address}"]
    done = subprocess.run(command, env={**os.environ, **secret}, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise StoreError(f"pg_dump 没有完成:{words}。请核对其版本不低于服务器。")
    return target


def _copy_files(home: Path, work: Path, former: Path | None) -> dict[str, str]:
    """Copy what the database names, or link it to the former backup's copy; returns digests by path."""
    known: dict[str, str] = _manifest(former)["files"] if former else {}
    copied = {}
    for path in _sources(home):
        name = path.relative_to(home).as_posix()
        target = work / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shared = former is not None and name in known and path.relative_to(home).parts[0] in IMMUTABLE
        if shared and former is not None and _link(former / name, target):
            copied[name] = known[name]
        else:
            copied[name] = _copy(path, target)
    return copied


def _sources(home: Path) -> Iterator[Path]:
    """Files of the store, originals and calendars; not what is still being received."""
    for part in (*IMMUTABLE, CALENDARS):
        for base, folders, files in os.walk(home / part):
            folders[:] = sorted(name for name in folders if not name.endswith(".part"))
            yield from (Path(base) / name for name in sorted(files) if not name.startswith("."))


def _link(source: Path, target: Path) -> bool:
    """Give a former copy a second name; False where the disk cannot, or it is no longer there."""
    try:
        target.hardlink_to(source)
    except OSError:
        return False
    return True


def _copy(source: Path, target: Path) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()


def _reach_the_disk(*paths: Path) -> None:
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _free(base: Path, stamp: str) -> Path:
    """A name nobody has: two backups in one second are two."""
    target, number = base / stamp, 1
    while target.exists():
        number += 1
        target = base / f"{stamp}-{number}"
    return target


def _prune(home: store.Store, day: dt.date, made: Path) -> None:
    """Remove what is beyond the number the settings keep; the log says so before anything is gone."""
    keep = home.settings.schedule.keep_backups
    old = [path for path in _made(folder(home)) if path != made][: -(keep - 1) or None]
    if old:
        act = store.Act(procedure.MACHINE, "retention", day, f"{settings.FILE} keep_backups = {keep}")
        with store.writing(home) as db:
            gone = [store.Change(f"backup:{path.name}", {}, {"removed": True}) for path in old]
            store.log.write(db, act, *gone)
    for path in old:
        shutil.rmtree(path)
