"""The page about the views: `python -m settlement.history.dictionary > docs/history.md`."""

from __future__ import annotations

from settlement.history.declared import VIEWS, View
from settlement.labels import label

HEAD = """# 历史查询 · Questions to history

Made from `settlement/history/declared.py` by `python -m settlement.history.dictionary`; do not edit by hand.

```sh
settle --home HOME history views
settle --home HOME --region langfang history sql --months 2026-01..2026-04 \\
  "SELECT clr_ym, rule_id, count(*) AS n, sum(det_sumamt) AS det FROM v_finding GROUP BY ALL ORDER BY ALL"
settle --home HOME history sql --format xlsx --out paid.xlsx "SELECT * FROM v_payment WHERE clr_ym = '202604'"
settle --home HOME history prompt
settle --home HOME history --as-of "2026-05-12 17:00" sql "SELECT count(*) FROM v_finding"
```

The SQL is DuckDB's. `--region` and `--months` (or `--month`) say what is looked at; left out, everything.
Name `region`, `clr_ym` and `fixmedins_code` in a condition where you can: only the files of those months are
read.
All views of one question show one moment, also while a month is being run; nobody waits for a question.
With `history --as-of` before `sql` or `prompt` that moment is an earlier one: what was accepted, found,
decided and paid as the record stood then.

A question is one SELECT (or EXPLAIN of one). It reads the views and nothing else: no file, no network, no
setting, no second statement. `--memory` (2GB) and `--seconds` (60) bound what it costs. `--format` is table,
csv, json, parquet or xlsx; csv and json go to the terminal when no `--out FILE` is given. A csv file has a
BOM, and no cell of csv or xlsx opens as a formula.

`--mask` masks the columns marked ● in the answer as documents mask them; where a question reads one of them,
columns that it computed or renamed are hidden unless they are numbers. It guards against oversight, not
against somebody who means to see.

From Python: `settlement.history.open_views(home, region, months).sql("SELECT …").rows` is a polars frame.
"""


def render() -> str:
    """Return the whole page as Markdown."""
    return "\n".join([HEAD, *(_view(view) for view in VIEWS.values())])


def _view(view: View) -> str:
    key = f"view.{view.name}"
    rows = [
        f"| {f.name} | {f.zh} | {f.en} | {f.sql_type} | {f.unit} | {'●' if f.personal else ''} |"
        for f in view.fields
    ]
    head = "| column | 名称 | English | type | unit | personal |\n|-|-|-|-|-|-|"
    return "\n".join([f"## {view.name}\n", f"{label(key, 'zh')}。{label(key, 'en')}.\n", head, *rows, ""])


if __name__ == "__main__":
    print(render(), end="")
