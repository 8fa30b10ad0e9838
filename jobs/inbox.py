"""The inbox: files that institutions and the bank leave for the machine, and where they go when handled.

`<home>/inbox/<region>/<yyyy-MM>/submissions|replies|bank`. What has come to rest there is moved to
`taking/` before it is read, so that nobody replaces it meanwhile, and to `done/` when it was handled. After a
crash it is found in `taking/` and handled again, which has no effect the second time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path

from settlement import policy

FOLDER, TAKING, DONE = "inbox", "taking", "done"
# folder of a month -> the job that handles what is in it
KINDS = {"submissions": "intake", "replies": "reply", "bank": "receipt"}


@dataclass(frozen=True)
class Tray:
    """One folder of the inbox: what a kind of job has to handle for a region and month.

    Attributes:
        base: the month's folder in the inbox.
        kind: a key of `KINDS`.
        region: profile name.
        clr_ym: claim month as yyyyMM.
        fault: why nothing can be done with what lies here; empty when it can.
    """

    base: Path
    kind: str
    region: str
    clr_ym: str
    fault: str = ""

    def entries(self, now: dt.datetime, quiet: int) -> list[Path]:
        """Return what was taken in hand before, then what has not changed for `quiet` seconds."""
        in_hand = _visible(self.base / TAKING / self.kind)
        return in_hand + [p for p in _visible(self.base / self.kind) if _is_quiet(p, now, quiet)]

    def take(self, now: dt.datetime, quiet: int) -> list[Path]:
        """Move what is ready out of the way of whoever writes here; returns all that is in hand."""
        held = self.base / TAKING / self.kind
        for path in self.entries(now, quiet):
            if path.parent != held and not (held / path.name).exists():
                held.mkdir(parents=True, exist_ok=True)
                path.rename(held / path.name)
        return _visible(held)

    def put_away(self, paths: list[Path]) -> None:
        """Move what was handled to `done`; a name that is taken there gets a number."""
        target = self.base / DONE / self.kind
        target.mkdir(parents=True, exist_ok=True)
        for path in paths:
            free, number = target / path.name, 1
            while free.exists():
                number += 1
                free = target / f"{path.stem}({number}){path.suffix}"
            path.rename(free)


def trays(home: Path) -> list[Tray]:
    """Return the folders of the inbox in order; a region or month nobody knows comes with the fault."""
    known = policy.regions()
    found = []
    for region in _visible(home / FOLDER):
        for month in _visible(region):
            fault = "" if region.name in known else f"没有统筹区 {region.name},可用:{'、'.join(known)}"
            clr_ym = _clr_ym(month.name)
            if not clr_ym:
                fault = f"{month.name} 不是结算年月,应如 2026-04"
            words = f"{FOLDER}/{region.name}/{month.name}:{fault}。请改名或移走。" if fault else ""
            found += [Tray(month, kind, region.name, clr_ym or "000000", words) for kind in KINDS]
    return found


def digest(paths: list[Path]) -> str:
    """Return what tells one filling of a tray from another: names, sizes, times of change."""
    facts = [fact for top in paths for fact in _facts(top)]
    return hashlib.sha256(repr(sorted(facts)).encode()).hexdigest()[:16]


def _clr_ym(name: str) -> str:
    try:
        month = dt.datetime.strptime(name, "%Y-%m")  # noqa: DTZ007 - a month
    except ValueError:
        return ""
    return f"{month:%Y%m}" if f"{month:%Y-%m}" == name else ""


def _visible(folder: Path) -> list[Path]:
    """What lies in a folder; a link is left where it is, because it may lead anywhere."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if not p.name.startswith((".", "~$")) and not p.is_symlink())


def _facts(top: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of change of a file, or of a folder and all in it."""
    found = []
    for path in [top, *(top.rglob("*") if top.is_dir() else ())]:
        try:
            about = path.lstat()
        except FileNotFoundError:  # renamed by whoever writes here; the next look finds it
            continue
        found.append((path.relative_to(top.parent).as_posix(), about.st_size, about.st_mtime_ns))
    return found


def _is_quiet(path: Path, now: dt.datetime, quiet: int) -> bool:
    """Whether the last change lies long enough back; a time to come says nothing and does not count."""
    changed = max((nanoseconds for _, _, nanoseconds in _facts(path)), default=0)
    return not 0 <= now.timestamp() - changed / 1e9 < quiet
