"""Made-up insured persons: names, certificate numbers of an area that does not exist, coverage."""

from __future__ import annotations

from datetime import date

import polars as pl

from sample_data.generator.draw import pick, roll, salt

SURNAMES = list("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕")
GIVEN = list("伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文华玉红建国春梅志海燕玲辉鹏飞雪松晨宇欣怡")
RARE = list("𠮷䶮㛃𣲗𬭎𬱖")  # four bytes in GB18030 or outside the basic plane
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK = list("10X98765432")
TODAY = date(2026, 4, 30)
COVERED_SINCE = date(2020, 1, 1)


def crowd(area: str, count: int) -> pl.DataFrame:
    """Return `count` base persons: psn (row number), sex, birth, insurance, category, names."""
    row = pl.int_range(count, dtype=pl.Int64)
    frame = pl.select(
        psn=row,
        gend=(roll(row, salt(area, "sex"), 2) + 1).cast(pl.String),
        age_days=roll(row, salt(area, "age"), 86 * 365) + 200,
        kind=roll(row, salt(area, "insurance"), 100),
    )
    age = pl.col("age_days") // 365
    mother = (pl.col("gend") == "2") & age.is_between(22, 40) & (pl.col("kind") < 12)
    frame = frame.with_columns(
        brdy=pl.lit(TODAY) - pl.duration(days=pl.col("age_days")),
        insutype=pl.when(age < 18).then(pl.lit("390"))
        .when(mother).then(pl.lit("510"))
        .when((age >= 75) & (pl.col("kind") < 6)).then(pl.lit("340"))
        .when(pl.col("kind") < 48).then(pl.lit("310"))
        .otherwise(pl.lit("390")),
    )  # fmt: skip
    return dress(frame.with_columns(die_date=pl.lit(None, dtype=pl.Date)), area)


def dress(frame: pl.DataFrame, area: str) -> pl.DataFrame:
    """Add numbers, names and the person category to rows with psn, gend, brdy, insutype, die_date."""
    psn = pl.col("psn")
    rare = roll(psn, salt(area, "rare"), 150) == 0
    given = pick(pl.Series(GIVEN), roll(psn, salt(area, "given"), len(GIVEN)))
    second = pick(pl.Series(GIVEN), roll(psn, salt(area, "second"), len(GIVEN)))
    odd = pick(pl.Series(RARE), roll(psn, salt(area, "odd"), len(RARE)))
    single = roll(psn, salt(area, "single"), 5) == 0
    age = pl.lit(TODAY).dt.year() - pl.col("brdy").dt.year()
    frame = frame.with_columns(
        psn_no=pl.concat_str(pl.lit(number(area)), psn.cast(pl.String).str.zfill(8)),
        psn_name=pl.concat_str(
            pick(pl.Series(SURNAMES), roll(psn, salt(area, "surname"), len(SURNAMES))),
            pl.when(rare).then(odd).when(single).then(pl.lit("")).otherwise(given),
            second,
        ),
        body=pl.concat_str(
            pl.lit("990101"),
            pl.col("brdy").dt.strftime("%Y%m%d"),
            ((psn % 499) * 2 + (pl.col("gend") == "1").cast(pl.Int64)).cast(pl.String).str.zfill(3),
        ),
        psn_type=_category(age),
    )
    total = pl.sum_horizontal(
        pl.col("body").str.slice(place, 1).cast(pl.Int64) * weight for place, weight in enumerate(WEIGHTS)
    )
    certno = pl.concat_str("body", pick(pl.Series(CHECK), total % 11))
    return frame.with_columns(certno=certno).drop("body")


def _category(age: pl.Expr) -> pl.Expr:
    kind = pl.col("insutype")
    worker = pl.when(age < 60).then(pl.lit("11")).otherwise(pl.lit("12"))
    resident = (
        pl.when(age < 7).then(pl.lit("1402")).when(age < 18).then(pl.lit("1403"))
        .when(age < 60).then(pl.lit("15")).otherwise(pl.lit("16"))
    )  # fmt: skip
    return pl.when(kind == "340").then(pl.lit("13")).when(kind == "390").then(resident).otherwise(worker)


def number(area: str, psn: int | None = None) -> str:
    """Return a person's number; without a person what all numbers of the area begin with."""
    return area + "26" + ("" if psn is None else f"{psn:08d}")


def person_table(people: pl.DataFrame) -> pl.DataFrame:
    """Return reference table `person`."""
    return people.select("psn_no", "psn_name", "certno", "gend", "brdy", "die_date")


def coverage_table(people: pl.DataFrame, special: pl.DataFrame) -> pl.DataFrame:
    """Return reference table `coverage`: open coverage, and the given rows for special persons.

    Args:
        people: all persons.
        special: rows psn, insutype, status, begndate, enddate that replace a person's own.
    """
    usual = people.join(special.select("psn").unique(), on="psn", how="anti")
    steady = {"status": pl.lit("1"), "begndate": pl.lit(COVERED_SINCE),
              "enddate": pl.lit(None, dtype=pl.Date)}  # fmt: skip
    worker = pl.when(pl.col("insutype") == "510").then(pl.lit("310")).otherwise("insutype")
    frames = [
        usual.select("psn", insutype=worker, **steady),
        usual.filter(pl.col("insutype") == "510").select("psn", "insutype", **steady),
        special.select("psn", "insutype", "status", "begndate", "enddate"),
    ]
    numbered = pl.concat(frames).join(people.select("psn", "psn_no"), on="psn")
    columns = ["psn_no", "insutype", "status", "begndate", "enddate"]
    return numbered.sort("psn_no", "insutype", "begndate").select(columns)
