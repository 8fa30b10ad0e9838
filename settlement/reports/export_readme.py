"""README of an export: what the files are and what each column means, in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from settlement.labels import LABELS, label
from settlement.reports.pages import header

BOTH = ("zh", "en")


class Described(Protocol):
    """A file of an export: its name, the table whose labels it has, the columns that are masked."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def owner(self) -> str: ...  # noqa: D102
    @property
    def masked(self) -> tuple[str, ...]: ...  # noqa: D102


def readme(manifest: dict[str, Any], parts: Iterable[Described]) -> str:
    """Return the README of an export as Markdown.

    Args:
        manifest: what `manifest.json` says.
        parts: the files in order.
    """
    files = {entry["file"].rsplit(".", 1)[0]: entry for entry in manifest["files"]}
    words = "masked" if manifest["masked"] else "open"
    lines = [f"# {manifest['region']} {manifest['month']}", ""]
    lines += [label(f"audit.export_{key}", lang) for key in ("about", words, "csv") for lang in BOTH]
    lines += ["", "| file | 文件 | English | rows |", "|-|-|-|-|"]
    for part in parts:
        entry, (zh, en) = files[part.name], LABELS[f"audit.file_{part.name}"]
        lines.append(f"| {entry['file']} | {zh} | {en} | {entry['rows']} |")
    for part in parts:
        lines += ["", f"## {files[part.name]['file']}", ""]
        lines += ["| column | 名称 | English | type | |", "|-|-|-|-|-|"]
        for column in files[part.name]["columns"]:
            names = (header(column["name"], lang, part.owner) for lang in BOTH)
            mark = "masked" if column["name"] in part.masked else ""
            lines.append(f"| {column['name']} | {' | '.join(names)} | {column['type']} | {mark} |")
    return "\n".join(lines) + "\n"
