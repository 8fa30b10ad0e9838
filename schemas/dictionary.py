"""The data dictionary page: `python -m schemas.dictionary > docs/data-dictionary.md`."""

from __future__ import annotations

import pandera.polars as pa

from schemas.banking import BANKING
from schemas.codes import CODES
from schemas.funds import FUNDS
from schemas.layout import Table, table
from schemas.reasons import REASONS
from schemas.reference import REFERENCE
from schemas.results import RESULTS
from schemas.submission import SUBMISSION

HEAD = """# Data dictionary

Made from the models in `schemas/` by `python -m schemas.dictionary`; do not edit by hand.
Types: C text with its longest length, N digits and decimals, D date (`2026-04-30`), DT date and time
(`2026-04-30 08:30:00`). A header may be the national name, the Chinese label or any alias, in any case.
"""


def render() -> str:
    """Return the whole page as Markdown."""
    parts = [HEAD, "\n## Submission\n"]
    parts += [_table(model, sent=True) for model in SUBMISSION]
    parts.append("\n## Reference data\n")
    parts += [_table(model, sent=False) for model in REFERENCE]
    parts.append("\n## Results (`data/*.parquet`)\n")
    parts.append("`settlements.parquet` has the columns of `setl_d`, one row per accepted settlement.\n")
    parts += [_table(model, sent=False) for model in RESULTS]
    parts.append("\n## Bank files\n")
    parts.append(
        "What goes to the bank has these columns in this order; in a return they may be in any order.\n"
    )
    parts += [_table(model, sent=True) for model in BANKING]
    parts += [_funds(), _reasons(), _codes()]
    return "\n".join(parts)


def _table(model: type[pa.DataFrameModel], *, sent: bool) -> str:
    about = table(model)
    traits = [f"key: {', '.join(about.key)}"]
    traits += ["optional"] if about.optional else []
    traits += ["dated by begndate and enddate (both days included, empty end = open)"] if about.dated else []
    head = "| column | 名称 | English | type | value | codes | other headers |\n|-|-|-|-|-|-|-|"
    return "\n".join(
        [
            f"### {about.name} {about.zh} — {about.en}\n",
            "; ".join(traits) + "\n",
            head,
            _rows(about, sent),
            "",
        ]
    )


def _rows(about: Table, sent: bool) -> str:
    rows = []
    for c in about.columns:
        value = "required" if c.required else "may be empty"
        if sent and not c.present:
            value = "column may be absent"
        cells = (c.name, c.zh, c.en, c.type_label, value, c.codes, "、".join(c.aliases))
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _funds() -> str:
    rows = [f"| {f.code} | {f.zh} | {f.en} | {f.column} | {'、'.join(f.insutypes) or 'all'} |" for f in FUNDS]
    return "\n".join(
        ["\n## Funds\n", "| code | 名称 | English | column | insutype |\n|-|-|-|-|-|", *rows, ""]
    )


def _reasons() -> str:
    rows = [f"| {r.code} | {r.zh} | {r.en} | {r.action} |" for r in REASONS.values()]
    return "\n".join(["\n## Reasons\n", "| code | 原因 | English | 处理办法 |\n|-|-|-|-|", *rows, ""])


def _codes() -> str:
    rows = [
        f"| {name} | {'、'.join(f'{k} {v}' for k, v in values.items())} |" for name, values in CODES.items()
    ]
    note = "Used where a region loads no list of its own (`dict.csv`).\n"
    return "\n".join(["\n## Code lists\n", note, "| list | values |\n|-|-|", *rows, ""])


if __name__ == "__main__":
    print(render(), end="")
