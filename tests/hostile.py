"""Workbooks that mean harm or came to it on the way."""

from __future__ import annotations

import zipfile
from pathlib import Path


def bomb(path: Path) -> None:
    """Add a member that unpacks to a thousand times its size."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/x.bin", b"\0" * (80 << 20))


def damage(path: Path) -> None:
    """Overwrite packed cells of the first sheet; the archive's list of members stays whole."""
    data = bytearray(path.read_bytes())
    at = data.index(b"xl/worksheets/sheet1.xml") + 60
    data[at : at + 40] = b"\xff" * 40
    path.write_bytes(data)
