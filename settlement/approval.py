"""Approval 核准: how many leaders must sign."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from settlement.policy import Profile


def signatures_needed(amount: Decimal, profile: Profile, day: dt.date) -> int:
    """Return how many different leaders must sign for an amount in 元.

    One below the policy's limit, two from the limit itself upwards ("以上" includes the number).
    Source: 社会保险经办条例 arts 36-37 (posts kept apart, graded approval of key business).

    Raises:
        PolicyError: the profile has no `approval_second_above` on the day.
    """
    return 2 if amount >= profile.ratio("approval_second_above", day) else 1
