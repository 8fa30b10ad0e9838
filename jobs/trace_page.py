"""A trace as one page to print: A4, nothing from outside, every value escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from jobs.trace_sections import Section
from settlement import store
from settlement.labels import EN, label

STYLE = """
@page { size: A4 landscape; margin: 12mm; }
body { font: 8.5pt/1.4 "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", SimSun, sans-serif;
  margin: 0; }
h1 { font-size: 14pt; margin: 0 0 2mm; }
h2 { font-size: 10.5pt; margin: 5mm 0 1.5mm; border-bottom: 0.5pt solid #333; break-after: avoid; }
p { margin: 0 0 2mm; color: #333; }
table { border-collapse: collapse; width: 100%; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th, td { border: 0.4pt solid #999; padding: 0.6mm 1.2mm; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
th { background: #eee; font-weight: bold; overflow-wrap: normal; }
.n { text-align: right; }
td.n, td.k { white-space: nowrap; }
.s td { font-weight: bold; background: #f6f6f6; }
"""


def write(path: Path, title: str, place: str, sections: Sequence[Section], lang: str) -> Path:
    """Write a trace as a page.

    Args:
        path: the file to write.
        title: what is traced.
        place: region and month, below the title.
        sections: what is shown (`trace_sections.sections`).
        lang: `zh` or `en`.
    """
    return store.write_bytes(path, page(title, place, sections, lang).encode("utf-8"))


def page(title: str, place: str, sections: Sequence[Section], lang: str) -> str:
    """Return the page's text."""
    body = "\n".join(line for section in sections for line in _section(section))
    tongue = "en" if lang == EN else "zh-CN"
    return (
        f'<!DOCTYPE html>\n<html lang="{tongue}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"<p>{escape(place)}</p>\n<p>{escape(label('trace.masked', lang))}</p>\n{body}\n</body>\n</html>\n"
    )


def _section(section: Section) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(section.title)}</h2>\n<table>\n<thead><tr>"
    yield "".join(f'<th scope="col"{_mark(kind)}>{escape(head)}</th>' for head, kind in section.columns)
    yield "</tr></thead>\n<tbody>"
    first_sum = len(section.rows) - section.sums
    for at, row in enumerate(section.rows):
        kinds = [kind for _, kind in section.columns]
        cells = (f"<td{_mark(kind)}>{escape(c)}</td>" for c, kind in zip(row, kinds, strict=True))
        mark = ' class="s"' if at >= first_sum else ""
        yield f"<tr{mark}>{''.join(cells)}</tr>"
    yield "</tbody>\n</table>\n</section>"


def _mark(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
