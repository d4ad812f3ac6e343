"""So many of so many, and how sure one may be of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

SURE = 0.95  # that the interval holds the true share
_Z = NormalDist().inv_cdf((1 + SURE) / 2)


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """The share, or None when there is nothing to share."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Between which shares the true one lies, with 95 % of sureness: Wilson's score interval.

        Unlike the usual share ± error it stays within 0 and 1, and says something when nobody or everybody said yes.
        """
        if not self.of:
            return None
        share, weight = self.count / self.of, _Z**2 / self.of
        middle = (share + weight / 2) / (1 + weight)
        reach = _Z / (1 + weight) * sqrt(share * (1 - share) / self.of + weight / (4 * self.of))
        return max(middle - reach, 0.0), min(middle + reach, 1.0)
