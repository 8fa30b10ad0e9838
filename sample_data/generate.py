"""Writes the sample months, or a large month to measure with.

Run `python sample_data/generate.py` to rewrite the sample months, with `--clean --out DIR` for the months in
which nothing is to be found (`--region R` for one of them), or with `--bulk --settlements 1000000
--lines 10000000 --institutions 200 --out DIR` for the large one.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from sample_data.generator import bulk, month  # noqa: E402 - the path comes first
from sample_data.generator.regions import REGIONS  # noqa: E402


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and write the month or months."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder to write to (default: sample_data)")
    parser.add_argument("--region", action="append", help="only this sample region")
    parser.add_argument("--clean", action="store_true", help="without stories: nothing is to be found")
    parser.add_argument("--bulk", action="store_true", help="one large month instead")
    parser.add_argument("--settlements", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--institutions", type=int, default=200)
    chosen = parser.parse_args(arguments)
    if chosen.clean and chosen.out is None:
        parser.error("--clean needs --out DIR")
    if chosen.bulk:
        if chosen.out is None:
            parser.error("--bulk needs --out DIR")
        bulk.write_bulk(chosen.out, chosen.settlements, chosen.lines, chosen.institutions)
        return
    for region in REGIONS:
        if chosen.region and region.name not in chosen.region:
            continue
        folder = (chosen.out or HERE) / region.name
        shutil.rmtree(folder, ignore_errors=True)
        (month.write_clean if chosen.clean else month.write_region)(region, folder)


if __name__ == "__main__":
    main()
