"""Judging an archive before it is unpacked."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

PACKED = (".zip", ".rar", ".7z", ".gz")
OLE_HEADER = b"\xd0\xcf\x11\xe0"
UTF8_NAME = 0x800
# What the zip module raises on damaged bytes, besides an OSError of the decompressor.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """Technical limits of an archive.

    Attributes:
        members: files in it.
        member_bytes: one file, unpacked.
        total_bytes: all files, unpacked.
        ratio: unpacked to packed bytes, judged above `ratio_from_bytes`.
    """

    members: int = 200
    member_bytes: int = 8 << 30
    total_bytes: int = 16 << 30
    ratio: int = 200
    ratio_from_bytes: int = 64 << 20


LIMITS = Limits()


@dataclass(frozen=True)
class Refused:
    """Why a file must not be opened: S01 (unreadable) or S02 (unsafe) of `schemas.reasons`, and why."""

    reason: str
    detail: str


def inside(member: zipfile.ZipInfo) -> PurePosixPath:
    """Return a member's path as the sender saw it: Windows packs Chinese names in GB18030 without a mark."""
    name = member.filename
    if not member.flag_bits & UTF8_NAME:
        try:
            name = name.encode("cp437").decode("gb18030")
        except UnicodeError:
            name = member.filename
    return PurePosixPath(name.replace("\\", "/"))


def refused(archive: zipfile.ZipFile, packed: int, limits: Limits = LIMITS) -> Refused | None:
    """Return why an archive of `packed` bytes must not be unpacked, or None."""
    members = [m for m in archive.infolist() if not m.is_dir()]
    for member in members:
        found = _refused_member(member, limits)
        if found:
            return found
    total = sum(m.file_size for m in members)
    if len(members) > limits.members or total > limits.total_bytes:
        return Refused("S02", f"共 {len(members)} 个文件、{total} 字节,超过上限")
    if total > limits.ratio_from_bytes and total > packed * limits.ratio:
        return Refused("S02", f"压缩比 {total // max(packed, 1)}:1 异常")
    return None


def _refused_member(member: zipfile.ZipInfo, limits: Limits) -> Refused | None:
    path = inside(member)
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return Refused("S02", "压缩包内有指向包外的路径")
    if stat.S_ISLNK(member.external_attr >> 16):
        return Refused("S02", f"含符号链接 {path}")
    if member.flag_bits & 1:
        return Refused("S01", "压缩包已加密,请去除密码")
    if path.suffix.lower() in PACKED:
        return Refused("S02", f"压缩包内又有压缩包 {path}")
    if member.file_size > limits.member_bytes:
        return Refused("S02", f"{path} 解压后 {member.file_size} 字节,超过上限")
    return None
