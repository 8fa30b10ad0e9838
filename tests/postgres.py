"""A PostgreSQL server of the tests' own: made in a temporary folder, reached by a socket, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

OWNER = "postgres"
# Nothing of it outlives the tests, so nothing needs to reach the disk.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")
SERVER_FOLDERS = "/usr/lib/postgresql"


class NoServer(Exception):
    """There is no PostgreSQL on this machine."""


def programs() -> Path:
    """Return the folder of `initdb` and `postgres`; NoServer when there is none."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path(SERVER_FOLDERS).glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoServer(
        f"PostgreSQL 未安装:PATH 与 {SERVER_FOLDERS} 中没有 initdb 和 postgres(apt-get install postgresql)。"
    )


def _unprivileged() -> dict[str, object]:
    """How to start a program as somebody else when we are root, whom the server refuses to serve."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def server() -> Iterator[str]:
    """Run a server; gives the folder of its socket, which is also its host name."""
    folder, who = programs(), _unprivileged()
    home = Path(tempfile.mkdtemp(prefix="settle-pg-"))
    started = None
    try:
        if who:
            os.chown(home, int(str(who["user"])), int(str(who["group"])))
        data, log = home / "data", home / "log"
        made = [folder / "initdb", "-D", data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        subprocess.run(made, check=True, capture_output=True, cwd=home, **who)  # type: ignore[call-overload]
        options = [word for setting in FAST for word in ("-c", setting)]
        command = [folder / "postgres", "-D", data, "-k", home, "-c", "listen_addresses=", *options]
        with log.open("wb") as words:
            started = subprocess.Popen(command, stdout=words, stderr=words, cwd=home, **who)  # type: ignore[call-overload]
        _wait(started, home, log)
        yield str(home)
    finally:
        if started is not None:
            started.send_signal(signal.SIGQUIT)
            started.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def _wait(started: subprocess.Popen[bytes], home: Path, log: Path) -> None:
    for _ in range(600):
        try:
            psycopg.connect(host=str(home), user=OWNER, dbname="postgres").close()
            return
        except psycopg.OperationalError:
            if started.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL 没有启动:{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def url(host: str, database: str) -> str:
    """Return the address of a database."""
    return f"postgresql://{OWNER}@/{database}?host={host}"


def make(host: str, database: str, template: str = "template1") -> str:
    """Make a database as a copy of another; returns its address."""
    with psycopg.connect(host=host, user=OWNER, dbname="postgres", autocommit=True) as db:
        db.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
    return url(host, database)


def remove(host: str, database: str) -> None:
    """Take a database away, whoever is still connected."""
    with psycopg.connect(host=host, user=OWNER, dbname="postgres", autocommit=True) as db:
        db.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
