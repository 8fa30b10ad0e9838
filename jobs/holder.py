"""Which process has taken something, and whether it is gone for certain."""

from __future__ import annotations

import os
import socket
from pathlib import Path

PROCESSES = Path("/proc")
DEAD = "ZX"


def me() -> str:
    """Return this process's name: host, process namespace, number and start; no later one has it too."""
    return f"{_here()}.{os.getpid()}.{_started(os.getpid())}"


def gone(holder: str) -> bool:
    """Whether the process of that name has ended; False where that cannot be seen from here."""
    place, pid, started = holder.rsplit(".", 2) if holder.count(".") > 1 else ("", "0", "")
    return place == _here() and pid.isdigit() and _started(int(pid)) != started


def _here() -> str:
    try:
        space = os.readlink(PROCESSES / "self" / "ns" / "pid")
    except OSError:
        space = ""
    return f"{socket.gethostname()}.{''.join(c for c in space if c.isdigit()) or '0'}"


def _started(pid: int) -> str:
    """When a living process started, in the kernel's count; `gone` for none, `alive` where nobody counts."""
    try:
        fields = (PROCESSES / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return "gone" if fields[0] in DEAD else fields[19]
    except OSError:
        return "gone" if PROCESSES.is_dir() or not _answers(pid) else "alive"


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
