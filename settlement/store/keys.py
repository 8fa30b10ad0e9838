"""The home's secret keys: made at first use, readable by their owner only, never written anywhere else."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from settlement.errors import StoreError
from settlement.store.database import Store

PSEUDONYM = "keys/pseudonym.key"
LENGTH = 32


def pseudonym_key(store: Store) -> bytes:
    """Return the key that persons' pseudonyms are made with, making it at first use.

    Raises:
        StoreError: the file can be read by others, or holds no key.
    """
    path = store.home / PSEUDONYM
    if not path.is_file():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise StoreError(f"{path} 可被他人读取。请运行 chmod 600,并考虑换一个新的密钥。")
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) < LENGTH:
        raise StoreError(f"{path} 不是 {LENGTH} 字节的十六进制密钥。请从保管处恢复,或移走后重新生成。")
    return key


def fingerprint(key: bytes) -> str:
    """Return what may be told of a key: it shows whether two exports used the same one."""
    return hashlib.sha256(b"fingerprint|" + key).hexdigest()[:16]


def _make(path: Path) -> None:
    """Write a new key whole and never over another one, whoever else makes it meanwhile."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(dir=path.parent)  # mode 0600 from the start
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(LENGTH) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        Path(made).unlink()
