"""Which settlements that passed the audit are looked at again by a person.

No random numbers: a settlement is placed by the hash of the seed and its id, so anyone who has the
month's settlements can recompute who was picked, whatever the order of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import polars as pl

from settlement.errors import PolicyError, SettlementError
from settlement.query import frame, hold


def sample(settlements: pl.DataFrame, flagged_setl_ids: pl.Series, share: Decimal, seed: str) -> pl.DataFrame:
    """Pick passed settlements for re-checking by hand, institution by institution.

    Ordered by sha256 of `seed|setl_id` (hex), the first ceil(share x n) of an institution's n passed
    settlements are picked, and never less than one.

    Args:
        settlements: accepted settlements: fixmedins_code, setl_id and whatever is to be shown.
        flagged_setl_ids: settlements that have a finding; they are reviewed anyway.
        share: part of the passed settlements, 0 to 1 (parameter `review_sample_share`).
        seed: what makes this month's sample its own, such as `region|yyyyMM`.

    Returns:
        The picked rows of `settlements` with pick (hash, hex), place (1 = first of its institution) and
        passed (n), by institution and place.

    Raises:
        PolicyError: the share is not between 0 and 1.

    Source: 按病种付费医疗保障经办管理规程(2025版) arts 28-30.
    """
    if not 0 <= share <= 1:
        raise PolicyError(f"抽查比例 {share} 不在 0 到 1 之间。请改正政策档案的 review_sample_share。")
    part, whole = Decimal(share).as_integer_ratio()
    passed = settlements.select("fixmedins_code", "setl_id").join(
        flagged_setl_ids.unique().to_frame("setl_id"), on="setl_id", how="anti"
    )
    with duckdb.connect() as con:
        hold(con, "passed", passed)
        picked = frame(
            con,
            """
            WITH hashed AS (
                SELECT fixmedins_code, setl_id, sha256($seed || '|' || setl_id) AS pick FROM passed
            ), placed AS (
                SELECT *, row_number() OVER (PARTITION BY fixmedins_code ORDER BY pick, setl_id) AS place,
                    count(*) OVER (PARTITION BY fixmedins_code) AS passed
                FROM hashed
            )
            SELECT * FROM placed
            WHERE place <= greatest((passed * $part::HUGEINT + $whole - 1) // $whole, 1)
            ORDER BY fixmedins_code, place
            """,
            {"seed": seed, "part": part, "whole": whole},
        )
    return picked.join(settlements, on=["fixmedins_code", "setl_id"], maintain_order="left").select(
        *settlements.columns, "pick", "place", "passed"
    )


@dataclass(frozen=True)
class Size:
    """How much is drawn: a number of rows, or a share (0 to 1) of the population, rounded up."""

    count: int = 0
    share: Decimal = Decimal(0)

    def of(self, population: int) -> int:
        """Return how many rows are drawn of a population, never more than there are.

        Raises:
            SettlementError: neither or both are given, or they are out of range.
        """
        if (self.count > 0) == (self.share > 0) or self.count < 0 or not 0 <= self.share <= 1:
            raise SettlementError(
                f"抽样数量有误:笔数 {self.count},比例 {self.share}。请给出大于 0 的笔数,"
                "或大于 0 且不超过 1 的比例,二者取一。"
            )
        part, whole = self.share.as_integer_ratio()
        return min(self.count or -(-population * part // whole), population)


def draw(
    con: duckdb.DuckDBPyConnection, relation: str, key: Sequence[str], size: Size, seed: str
) -> tuple[int, pl.DataFrame]:
    """Draw rows of a relation as a whole, whatever their order: those whose hash comes first.

    Ordered by sha256 of `seed|key` (hex; the columns of a key joined by `|`), like `sample`.

    Args:
        con: an engine that knows the relation.
        relation: name of a table or view.
        key: columns that name a row; none of them is null.
        size: how many.
        seed: what makes this sample its own.

    Returns:
        The population, and the drawn rows: place (1 = first), pick (hash), the key's columns.

    Raises:
        SettlementError: the size makes no sense.
    """
    population = int(con.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])
    taken, columns = size.of(population), ", ".join(key)
    rows = frame(
        con,
        f"""
        WITH drawn AS (
            SELECT sha256($seed || '|' || concat_ws('|', {columns})) AS pick, {columns} FROM {relation}
            ORDER BY pick, {columns} LIMIT {taken}
        )
        SELECT row_number() OVER (ORDER BY pick, {columns}) AS place, * FROM drawn ORDER BY place
        """,
        {"seed": seed},
    )
    return population, rows
