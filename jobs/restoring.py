"""Restoring 恢复: a backup becomes a home of its own, checked before and after."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import sqlalchemy as sa

from jobs import backup, holder, nightly
from settlement import settings, store
from settlement.errors import StoreError
from settlement.store import database


def restore(made: Path, target: Path) -> store.Store:
    """Make a home of a backup.

    Args:
        made: the backup's folder.
        target: the new home; it may hold a `settle.toml` that names an empty PostgreSQL database, and nothing
            else.

    Returns:
        The new home, its published copies put back.

    Raises:
        StoreError: the backup is none or is damaged, the home is not new, the database cannot be restored,
            or what came out does not stand the check.
    """
    if not (made / backup.MANIFEST).is_file():
        raise StoreError(f"{made} 不是备份:没有 {backup.MANIFEST}。请给出 backups/ 中的一个目录。")
    wrong = backup.broken(made)
    if wrong:
        raise StoreError(f"备份 {made} 中 {len(wrong)} 个文件与清单不符,如 {wrong[0]}。请用另一份备份。")
    held = {path.name for path in target.iterdir()} if target.is_dir() else set()
    if held - {settings.FILE}:
        raise StoreError(f"{target} 里已有 {sorted(held)[0]}。恢复只写入新目录,请用 --home 另给一个。")
    _fill(made, target.absolute())
    home = store.open_store(target)
    nightly.republish(home)
    faults = nightly.verify(home)
    if faults:
        raise StoreError(f"恢复到 {target} 之后校验发现 {len(faults)} 处问题,如:{faults[0]}")
    return home


def _fill(made: Path, target: Path) -> None:
    """Copy everything beside the place first, so that a home is there whole or not at all."""
    work = target.with_name(f".{target.name}.restoring-{holder.me()}")
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(made, work, ignore=shutil.ignore_patterns(backup.MANIFEST, backup.DUMP))
        if (target / settings.FILE).is_file():
            shutil.copyfile(target / settings.FILE, work / settings.FILE)
        if (made / backup.DUMP).is_file():
            _load(made / backup.DUMP, work)
        shutil.rmtree(target, ignore_errors=True)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _load(dump: Path, home: Path) -> None:
    """Restore a dump into the empty database that the new home's settings name."""
    address = settings.load(home).database.url
    if not address:
        raise StoreError(
            "备份里是 PostgreSQL 数据库。请先建一个空数据库,"
            f"并在新目录的 {settings.FILE} 里写明 [database] url。"
        )
    engine = database.engine_at(address)
    try:
        if sa.inspect(engine).get_table_names():
            raise StoreError(f"数据库 {engine.url.render_as_string()} 不是空的。恢复只写入空数据库。")
    finally:
        engine.dispose()
    program = shutil.which("pg_restore")
    if program is None:
        raise StoreError(
            "没有 pg_restore,不能恢复 PostgreSQL 数据库。请安装与服务器同版本的 postgresql-client。"
        )
    url = engine.url.set(drivername="postgresql", password=None)
    secret = {"PGPASSWORD": str(engine.url.password)} if engine.url.password else {}
    command = [program, "--no-owner", "--exit-on-error", "--single-transaction",
               f"--dbname={url.render_as_string()}", str(dump)]  # fmt: skip
    done = subprocess.run(command, env={**os.environ, **secret}, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise StoreError(f"pg_restore 没有完成:{words}。请核对其版本不低于备份时的 pg_dump。")
