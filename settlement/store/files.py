"""Files of the store: named by the hash of their content, never changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from settlement.errors import StoreError
from settlement.store.database import Store


@contextmanager
def work_folder(store: Store) -> Iterator[Path]:
    """Give a folder for files in the making; it is gone afterwards, at the latest with the next one."""
    base, host = store.home / "work", socket.gethostname()
    base.mkdir(parents=True, exist_ok=True)
    for left in base.glob(f"{host}.*.*"):
        if not _alive(int(left.name.split(".")[-2])):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{host}.{os.getpid()}.", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as reader:
        return hashlib.file_digest(reader, "sha256").hexdigest()


def keep_file(store: Store, made: Path) -> tuple[str, str]:
    """Move a finished file into the store under its content hash; return (relative path, digest)."""
    digest = file_digest(made)
    target = store.home / "store" / digest[:2] / f"{digest}{made.suffix}"
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.is_file():
        # On the disk before a row names it: the database survives a power cut, so must its files.
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(target)
    return target.relative_to(store.home).as_posix(), digest


def keep_copy(store: Store, path: Path) -> tuple[str, str]:
    """Keep a copy of a file that came from outside under its content hash; return (path, digest)."""
    with work_folder(store) as work:
        made = work / f"copy{path.suffix.lower()}"
        shutil.copyfile(path, made)
        return keep_file(store, made)


def read_bytes(store: Store, path: str, digest: str) -> bytes:
    """Read a kept file, checking that its bytes are those that were recorded.

    Raises:
        StoreError: it is missing or was changed.
    """
    full = store.home / path
    data = full.read_bytes() if full.is_file() else b""
    if hashlib.sha256(data).hexdigest() != digest:
        raise StoreError(f"{full} 缺失或已被改动,与登记的摘要不符。请从备份恢复这个文件。")
    return data


def write_bytes(target: Path, data: bytes) -> Path:
    """Write a file whole or not at all; the same bytes are left alone."""
    if not (target.is_file() and target.read_bytes() == data):
        target.parent.mkdir(parents=True, exist_ok=True)
        made = target.with_name(f".{os.getpid()}.{target.name}")
        made.write_bytes(data)
        made.replace(target)
    return target
