"""How many leaders must sign: the limit itself already needs two."""

import datetime as dt
from decimal import Decimal

import pytest

from settlement import approval, policy
from settlement.errors import PolicyError

PROFILE = policy.load("langfang")
DAY = dt.date(2026, 5, 20)


@pytest.mark.parametrize(
    ("amount", "needed"),
    [
        ("0.00", 1),
        ("999999.99", 1),
        ("1000000.00", 2),
        ("1000000.01", 2),
        ("98000000.00", 2),
    ],
)
def test_from_the_limit_upwards_two_leaders_sign(amount: str, needed: int) -> None:
    assert approval.signatures_needed(Decimal(amount), PROFILE, DAY) == needed


def test_the_limit_is_dated_and_says_where_it_comes_from() -> None:
    held = PROFILE.parameter("approval_second_above").on(DAY)

    assert (held.assumed, PROFILE.sources[held.source]["title"]) == (True, "社会保险经办条例")
    with pytest.raises(PolicyError, match="approval_second_above"):
        approval.signatures_needed(Decimal(1), PROFILE, dt.date(2019, 12, 31))
