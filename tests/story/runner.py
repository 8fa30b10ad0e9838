"""Commands in processes of their own that can be killed at any point; only tests start this.

`python -m tests.story.runner` imports the program once and waits. For every line it reads it forks, and the
child runs one command. Forking is safe here because this process never works itself: at the time of the
fork the frame library has not started its workers, which is looked at first.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Threads of the allocator and the frame library's cleaner; neither holds anything a child needs.
HARMLESS = ("jemalloc_bg_thd", "polars-ooc-clea")
LONGEST = 180.0
HOW = {"kill_at": 0, "kill_after": 0.0, "start": "", "stop_before": 0, "go": ""}


@dataclass(frozen=True)
class Ended:
    """How a process ended: exit code (minus the signal's number when killed), words, events counted."""

    code: int
    said: str
    events: int

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Runner:
    """A waiting process; one command at a time."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.story.runner"],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "POLARS_MAX_THREADS": "2"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lock = threading.Lock()

    def run(self, argv: Sequence[str], **how: Any) -> Ended:
        """Run a command.

        Args:
            argv: the command line.
            how: kill_at: number of the event at which it is killed; kill_after: seconds after which it is
                killed; start: a path, the command begins when something is there; stop_before: number of
                the writing transaction before which it waits, after making `<go>.there`, until there is
                something at go.
        """
        order = {"argv": list(argv), **HOW, **how}
        with self.lock:
            assert self.process.stdin
            assert self.process.stdout
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
            return Ended(**json.loads(self.process.stdout.readline()))

    @staticmethod
    def wait_for(path: Path, given_up: Callable[[], bool] = lambda: False) -> None:
        """Wait until there is something at a path, or it is given up."""
        while not path.exists() and not given_up():
            time.sleep(0.001)

    def close(self) -> None:
        """Let the process end."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@contextmanager
def runners(count: int) -> Iterator[list[Runner]]:
    """Start some waiting processes."""
    started = [Runner() for _ in range(count)]
    try:
        yield started
    finally:
        for one in started:
            one.close()


# ---- the waiting process ----


def serve() -> None:
    """Fork for every order that comes in."""
    from jobs import cli

    threads = [Path(f"/proc/self/task/{t}/comm").read_text().strip() for t in os.listdir("/proc/self/task")]
    extra = sorted(set(threads[1:]) - set(HARMLESS))
    assert not extra, f"the program starts threads when it is imported: {extra}"
    for line in sys.stdin:
        order = json.loads(line)
        with tempfile.TemporaryDirectory() as folder:
            child = os.fork()
            if not child:
                _work(order, Path(folder), cli.main)
            code = _wait(child, order["kill_after"])
            said, events = Path(folder, "said"), Path(folder, "events")
            # Killed by the clock just while it wrote the count, a child leaves it empty.
            count = int(events.read_text() or 0) if events.exists() else 0
            text = said.read_text(encoding="utf-8") if said.exists() else ""
        print(json.dumps({"code": code, "said": text, "events": count}), flush=True)


def _wait(child: int, kill_after: float) -> int:
    begun, longest = time.monotonic(), kill_after or LONGEST
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() - begun > longest:
            os.kill(child, signal.SIGKILL)
            longest = LONGEST * 10
        time.sleep(0.002)


def _work(order: dict[str, Any], folder: Path, main: Callable[[], None]) -> None:
    """The child: run one command and leave; never returns."""
    code = 99
    try:
        words = os.open(folder / "said", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(words, stream)
        counter = Counter(order["kill_at"])
        counter.watch()
        if order["stop_before"]:
            _stop(order["stop_before"], Path(order["go"]))
        if order["start"]:
            Runner.wait_for(Path(order["start"]))
        sys.argv = ["settle", *order["argv"]]
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        sys.stdout.flush()
        sys.stderr.flush()
        counter.happened()
        (folder / "events").write_text(str(counter.count))
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _stop(before: int, go: Path) -> None:
    """Wait before a writing transaction; on SQLite that is where others still come in between."""
    import sqlalchemy as sa

    begun = [0]

    def waits(*given: Any) -> None:
        if given[2].startswith("BEGIN IMMEDIATE"):
            begun[0] += 1
            if begun[0] == before:
                Path(f"{go}.there").touch()
                Runner.wait_for(go)

    sa.event.listen(sa.Engine, "before_cursor_execute", waits)


class Counter:
    """Counts what a command does to its database and files, and kills the process at one of these."""

    def __init__(self, kill_at: int) -> None:
        self.kill_at = kill_at
        self.count = 0

    def happened(self) -> None:
        """Count one event; the end comes here if it is the one."""
        self.count += 1
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def is_next(self) -> bool:
        return self.count + 1 == self.kill_at

    def watch(self) -> None:
        """Look on at statements, commits, and files written, moved, copied and removed."""
        import sqlalchemy as sa
        import xlsxwriter
        from sqlalchemy.engine import default

        sa.event.listen(sa.Engine, "before_cursor_execute", lambda *_: self.happened())
        self._around(default.DefaultDialect, "do_commit")
        for owner, name in ((os, "replace"), (os, "fsync"), (Path, "unlink"), (shutil, "rmtree")):
            self._around(owner, name)
        self._around(xlsxwriter.Workbook, "close")
        self._halfway()

    def _around(self, owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def counted(*args: Any, **named: Any) -> Any:
            self.happened()
            result = real(*args, **named)
            self.happened()
            return result

        setattr(owner, name, counted)

    def _halfway(self) -> None:
        """A file that is being written or copied when the end comes is half there."""
        write, copy = Path.write_bytes, shutil.copyfile

        def write_bytes(path: Path, data: bytes) -> int:
            if self.is_next():
                write(path, data[: len(data) // 2])
            self.happened()
            return write(path, data)

        def copyfile(source: Any, target: Any, **named: Any) -> Any:
            if self.is_next():
                content = Path(source).read_bytes()
                write(Path(target), content[: len(content) // 2])
            self.happened()
            return copy(source, target, **named)

        Path.write_bytes, shutil.copyfile = write_bytes, copyfile  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    serve()
