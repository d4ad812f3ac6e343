"""What every table shares."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import BigInteger, DateTime, Enum, Index, Table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase


# What of a row can be searched, as the indexes of pairs of characters have it (service/word_search.py).
# Brackets stand as PostgreSQL writes them, so that models and migrations can be compared.
def together(table: str, first: str, *others: str) -> str:
    """Several columns as one text."""
    made = f"{table}.{first}"
    for place, name in enumerate(others):
        made = f"({f'({made})' if place else made} || ' ') || coalesce({table}.{name}, '')"
    return made


def values(kind: type[StrEnum]) -> list[str]:
    """Enumerations are stored as what they say, so that plain SQL can say it too."""
    return [member.value for member in kind]


def searched(table: str, words: str) -> Index:
    """The index by which words are found."""
    return Index(f"{table}_words", text(f"guanjia_pairs({words})"), postgresql_using="gin")


class Base(DeclarativeBase):
    """Types used by every table."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own idiom
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(none_as_null=True),
        list[Any]: JSONB(none_as_null=True),
        int: BigInteger,
        StrEnum: Enum(StrEnum, native_enum=False, length=16, create_constraint=False, values_callable=values),
    }


def table(model: type[Base]) -> Table:
    """The bare table of a model: rows that every message writes go past the mapper, which takes three times as long."""
    return cast("Table", model.__table__)
