"""The tables. Every row belongs to a community; stored times are UTC and aware.

Whoever imports one of them knows all: a table may refer to any other.
"""

from service.models import (
    archive,
    cases,
    communities,
    console,
    figures,
    follow_ups,
    incidents,
    knowledge,
    people,
    queues,
    talks,
    understanding,
)

__all__ = [
    "archive",
    "cases",
    "communities",
    "console",
    "figures",
    "follow_ups",
    "incidents",
    "knowledge",
    "people",
    "queues",
    "talks",
    "understanding",
]
