"""What a look of the doctor says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from service.config import Settings


class Unwell(Exception):
    """Something is wrong: what it is, and what the operator can do about it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


@dataclass(frozen=True)
class Finding:
    """What one look found; `mend` says what to do when it is not well."""

    well: bool
    what: str
    mend: str = ""


Check = Callable[[Settings], Awaitable[str]]  # says what is well, or raises Unwell
