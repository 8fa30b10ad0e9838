"""Opening what was sent: a folder, a zip of it, or one workbook; nothing in it is trusted.

The original is copied into safe-keeping first, whatever becomes of it, and only the copy is read.
"""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from settlement.intake.model import Fault, Submission
from settlement.untrusted import archives, workbooks
from settlement.untrusted.archives import DAMAGED, LIMITS, OLE_HEADER, Limits

NAME = re.compile(r"([HP][0-9]{11})_([0-9]{6})(?:_([0-9]{1,3}))?")
TEXT_SUFFIXES = (".csv", ".txt", ".tsv")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")
CHUNK = 1 << 20
OURS = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EROFS)


def find(paths: list[Path]) -> list[Submission]:
    """List the submissions in the given paths, in order of institution, month and turn.

    A path is a submission itself, or a folder of submissions. Hidden files are left out.
    """
    found: list[Path] = []
    for path in paths:
        found += [path] if _is_submission(path) else sorted(p for p in path.iterdir() if _visible(p.name))
    unique = {path.resolve(): path for path in found}
    named = [_named(path) for path in unique.values()]
    named.sort(key=lambda s: (s.code, s.clr_ym, s.turn, s.source.name, str(s.source)))
    for number, submission in enumerate(named):
        submission.number = number
    return named


def _visible(name: str) -> bool:
    return not name.startswith((".", "~$"))


def _is_submission(path: Path) -> bool:
    """True for anything but a folder that holds submissions; a path that is gone is told of later."""
    if not path.is_dir() or NAME.fullmatch(path.name):
        return True
    children = list(path.iterdir())
    if any(NAME.fullmatch(_stem(child)) for child in children):
        return False
    return any(p.suffix.lower() in SUFFIXES for p in children if p.is_file())


def _stem(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def _named(path: Path) -> Submission:
    name = _stem(path)
    match = NAME.fullmatch(name)
    if match is None:
        fault = Fault("S03", detail=name[:60])
        return Submission(0, name, "", "", 1, path, faults=[fault])
    code, month, turn = match.groups()
    return Submission(0, name, code, month, int(turn or 1), path)


def keep(submission: Submission, folder: Path) -> None:
    """Copy the original into safe-keeping and note its digest and place.

    The digest covers the relative names and bytes of all files, so that the same bytes sent twice
    are known whatever the submission was called. What cannot be copied leaves the digest empty and a
    fault. A symbolic link is a fault and never followed: it may lead out of the submission.
    """
    held = folder / f"{submission.number:06d}.part"
    shutil.rmtree(held, ignore_errors=True)
    held.mkdir(parents=True)
    try:
        digest = _copy_all(submission, held)
    except OSError as error:
        shutil.rmtree(held, ignore_errors=True)
        _raise_if_ours(error)
        submission.faults.append(Fault("S01", detail=f"收件时无法读取({type(error).__name__})"))
        return
    submission.digest = digest
    submission.kept = folder / f"{submission.name[:80]}-{digest[:12]}"
    try:
        held.rename(submission.kept)
    except OSError:
        # The same bytes are kept already, or nothing can be kept at all.
        if not submission.kept.is_dir():
            raise
        shutil.rmtree(held)


def _raise_if_ours(error: OSError) -> None:
    """A full disk or too many open files is no fault of the institution's."""
    if error.errno in OURS:
        raise error


def _copy_all(submission: Submission, held: Path) -> str:
    source = submission.source
    inside = source.is_dir()
    digest = hashlib.sha256()
    for path in sorted(source.rglob("*")) if inside else [source]:
        name = path.relative_to(source).as_posix() if inside else path.name
        if inside and path.is_symlink():
            submission.faults.append(Fault("S02", detail=f"含符号链接 {name}"))
            digest.update(f"{name}\0link\n".encode())
        elif path.is_file():
            target = held / name
            target.parent.mkdir(parents=True, exist_ok=True)
            known_as = name if inside else path.suffix.lower()
            digest.update(f"{known_as}\0{_copy(path, target)}\n".encode())
        elif not path.exists():
            raise FileNotFoundError(path.name)
    return digest.hexdigest()


def _copy(source: Path, target: Path) -> str:
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            writer.write(chunk)
    return digest.hexdigest()


def unpack(submission: Submission, work: Path, limits: Limits = LIMITS) -> Iterator[tuple[str, Path]]:
    """Yield (name, file) of every table file of the kept original; faults go to the submission."""
    kept = submission.kept
    if kept is None or not submission.code:
        return
    if submission.source.is_dir():
        files = sorted(p for p in kept.rglob("*") if p.is_file())
        names = _labels(submission, [PurePosixPath(p.relative_to(kept).as_posix()) for p in files])
        yield from ((name, path) for name, path in zip(names, files, strict=True) if name)
        return
    path = next(p for p in kept.iterdir() if p.is_file())
    try:
        yield from _open_file(submission, path, work, limits)
    except DAMAGED as error:
        submission.faults.append(Fault("S01", detail=f"{path.name} 已损坏或不完整({type(error).__name__})"))
    except OSError as error:
        _raise_if_ours(error)
        submission.faults.append(Fault("S01", detail=f"{path.name} 已损坏或不完整({type(error).__name__})"))


def _labels(submission: Submission, paths: list[PurePosixPath]) -> list[str]:
    """What to call each file: its name, or its path where two have the same; empty when no table file."""
    shown = [p for p in paths if _visible(p.name)]
    wanted = {p for p in shown if p.suffix.lower() in SUFFIXES}
    names = Counter(p.name for p in shown)
    submission.ignored += [str(p) for p in shown if p not in wanted]
    return ["" if p not in wanted else p.name if names[p.name] == 1 else str(p) for p in paths]


def _open_file(submission: Submission, path: Path, work: Path, limits: Limits) -> Iterator[tuple[str, Path]]:
    suffix = path.suffix.lower()
    with path.open("rb") as reader:
        start = reader.read(8)
    if suffix in (".zip", ".xlsx") and start.startswith(OLE_HEADER):
        submission.faults.append(Fault("S01", detail="工作簿已加密或为旧版格式,请去除密码另存为 xlsx"))
    elif suffix == ".zip":
        yield from _zip(submission, path, work, limits)
    elif suffix == ".xlsx":
        yield from _workbook(submission, path, work, limits)
    else:
        submission.faults.append(Fault("S01", detail=f"不支持的文件类型 {suffix or '(无扩展名)'}"))


def _zip(submission: Submission, path: Path, work: Path, limits: Limits) -> Iterator[tuple[str, Path]]:
    with zipfile.ZipFile(path) as archive:
        if refused := archives.refused(archive, path.stat().st_size, limits):
            submission.faults.append(Fault(refused.reason, detail=refused.detail))
            return
        members = [m for m in archive.infolist() if not m.is_dir()]
        labels = _labels(submission, [archives.inside(m) for m in members])
        for order, (member, name) in enumerate(zip(members, labels, strict=True)):
            if not name:
                continue
            target = work / f"{submission.number:06d}_{order:03d}{PurePosixPath(name).suffix.lower()}"
            if not _extract(archive, member, target, limits):
                submission.faults.append(Fault("S02", detail=f"{name} 解压后超过上限"))
                return
            yield name, target


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, limits: Limits) -> bool:
    """Write a member out, counting real bytes; False when it is longer than it said or allowed."""
    written = 0
    with archive.open(member) as reader, target.open("wb") as writer:
        while chunk := reader.read(CHUNK):
            written += len(chunk)
            if written > min(limits.member_bytes, member.file_size):
                return False
            writer.write(chunk)
    return True


def _workbook(submission: Submission, path: Path, work: Path, limits: Limits) -> Iterator[tuple[str, Path]]:
    """Yield each sheet of a workbook as a text file, once the workbook is known to be harmless."""
    if refused := workbooks.refused(path, limits):
        submission.faults.append(Fault(refused.reason, detail=refused.detail))
        return
    try:
        yield from workbooks.sheets(path, work, f"{submission.number:06d}")
    except workbooks.Unreadable as error:
        submission.faults.append(Fault("S01", detail=f"工作簿无法读取({error})"))
