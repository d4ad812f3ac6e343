"""What the property system says of a resident's own household: told to whom the account is bound, and to nobody else.

A visitor code stands on a button that copies it and never in the text: the text is kept in the transcript, which staff
read, and what stands on the button is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import archive, texts, visits
from service.models.archive import Fee, Member, ParkingSpace, VisitorCode
from service.models.base import Base
from service.models.communities import Community
from service.models.talks import Conversation
from service.texts import Button, Line
from service.when import When

MOST_OWED = 10  # lines of one answer; the sum is of all of them
MOST_PAID = 3  # the newest
CURRENCY = "CNY"  # whose amounts have a word instead of a code
BETWEEN = {"zh": "、", "en": ", "}  # what is listed

Entry = TypeVar("Entry", bound=Base)


@dataclass(frozen=True)
class Reader:
    """To whom it is told, and when."""

    session: Session
    community: Community
    language: str
    now: datetime
    today: date

    def words(self, key: str, **slots: object) -> str:
        """A phrase in their language."""
        return texts.words(key, language=self.language, **slots)

    def day(self, day: date) -> str:
        """A day as it is said: without the year when that is this one."""
        key = "utter_word_date" if day.year == self.today.year else "utter_word_date_of_year"
        return self.words(key, year=day.year, month=self.words(f"utter_word_month_{day.month}"), day=day.day)

    def sums(self, fees: Iterable[Fee]) -> str:
        """What is left of fees, one sum a currency."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for fee in fees:
            sums[fee.currency] += fee.left
        return BETWEEN[self.language].join(self.amount(total, currency) for currency, total in sums.items())

    def amount(self, amount: Decimal, currency: str) -> str:
        """An amount to the cent, thousands apart."""
        key = "utter_word_yuan" if currency == CURRENCY else "utter_word_amount"
        return self.words(key, amount=f"{amount:,.2f}", currency=currency)


def entries(session: Session, table: type[Entry], household_id: int) -> Sequence[Entry]:
    """What stands there of a household, in the order of the file."""
    return session.scalars(select(table).filter_by(household_id=household_id).order_by("id")).all()


def answer(
    session: Session, conversation: Conversation, kinds: Sequence[str], *, language: str, now: datetime
) -> Line | None:
    """What stands there of the households an account speaks for, each by its address.

    Args:
        session: the caller's transaction.
        conversation: whose.
        kinds: of fees, parking, visitor_codes.
        language: to answer in.
        now: the moment, aware UTC: codes that are over are not told.

    Returns:
        None when the account speaks for no household: nothing of anybody's is told then.
    """
    community = session.get_one(Community, conversation.community_id)
    today = archive.today(session, community.id, now=now)
    homes = archive.homes(session, conversation.resident, day=today)
    if not homes:
        return None
    reader = Reader(session, community, language, now, today)
    told = [TOLD[kind](reader, home) for kind in kinds for home in homes]
    text, keys = "\n\n".join(line.text for line in told), tuple(key for line in told for key in line.buttons)
    return Line(text, buttons=keys, menu=texts.say("utter_help", language=language).menu)


def _fees(reader: Reader, home: Member) -> Line:
    """What is owed, the oldest first, what they have with the office, and what was paid last.

    What others paid before they moved in is not told; without a day nobody knows who did.
    """
    fees = entries(reader.session, Fee, home.household_id)
    owed = sorted((fee for fee in fees if fee.left > 0), key=lambda fee: fee.due or date.max)
    credit = [fee for fee in fees if fee.left < 0]
    paid = [fee for fee in fees if not fee.left and (fee.paid_on or date.min) >= (home.moved_in or date.min)]
    if not (owed or credit or paid):
        return _nothing(reader, home, "fees")
    newest = sorted(paid, key=lambda fee: fee.paid_on or date.min, reverse=True)[:MOST_PAID]
    left_out = len(owed) - MOST_OWED
    lines = [_fee(reader, fee) for fee in owed[:MOST_OWED]]
    lines += [reader.words("utter_own_fees_more", count=left_out)] if left_out > 0 else []
    lines += [_fee(reader, fee) for fee in (*credit, *newest)]
    total = reader.words(f"utter_own_fees_{'owed' if owed else 'none'}", total=reader.sums(owed))
    return _listed(reader, home, "fees", lines, as_of=fees[0].as_of, total=total)


def _fee(reader: Reader, fee: Fee) -> str:
    """One fee, by whether it is owed, theirs, or settled, and with the parts that it is made of."""
    state, day = _state(fee, reader.today)
    return reader.words(
        f"utter_own_fee_{state}",
        name=" ".join(filter(None, (fee.name, fee.period))),
        amount=_amount(reader, fee),
        day=reader.day(day) if day else "",
    )


def _state(fee: Fee, today: date) -> tuple[str, date | None]:
    """The end of the key of a fee's phrase, and the day that it names."""
    if fee.left < 0:
        return "credit", None
    if not fee.left:
        settled = "refunded" if fee.amount < 0 else "paid" if fee.paid_on else "settled"
        return settled, fee.paid_on
    if fee.due is None:
        return "open", None
    return "late" if fee.due < today else "due", fee.due


def _amount(reader: Reader, fee: Fee) -> str:
    """What is left, with what was charged, waived and paid when that is not the same; what was charged once settled."""
    amount = reader.amount(abs(fee.left or fee.amount), fee.currency)
    told = {"waived": fee.waived, "paid": fee.paid if fee.left else None}
    parts = [
        reader.words(f"utter_word_{name}", amount=reader.amount(part, fee.currency))
        for name, part in told.items()
        if part
    ]
    if not parts:
        return amount
    charged = reader.amount(fee.amount, fee.currency)
    return reader.words(
        "utter_word_of_charged", amount=amount, charged=charged, parts=BETWEEN[reader.language].join(parts)
    )


def _parking(reader: Reader, home: Member) -> Line:
    """Spaces with their cars, and until when; what has run out is said to have."""
    spaces = entries(reader.session, ParkingSpace, home.household_id)
    if not spaces:
        return _nothing(reader, home, "parking")
    lines = [_space(reader, space) for space in spaces]
    return _listed(reader, home, "parking", lines, as_of=spaces[0].as_of)


def _space(reader: Reader, space: ParkingSpace) -> str:
    until = space.valid_until
    state = "endless" if until is None else "over" if until < reader.today else "until"
    return reader.words(
        f"utter_own_space_{state}",
        space=space.name,
        plate=reader.words("utter_word_own_plate", plate=space.plate) if space.plate else "",
        day=reader.day(until) if until else "",
    )


def _visitor_codes(reader: Reader, home: Member) -> Line:
    """Codes that open something now or will; whose they are and when in the text, they themselves on buttons."""
    known = entries(reader.session, VisitorCode, home.household_id)
    codes = [code for code in known if code.valid_until > reader.now]
    if not codes:
        return _nothing(reader, home, "visitor_codes")
    line = _listed(reader, home, "visitor_codes", [_code(reader, code) for code in codes], as_of=codes[0].as_of)
    titles = [" · ".join(filter(None, (code.name, code.code))) for code in codes]
    keys = (Button(title, "", copy=code.code) for title, code in zip(titles, codes, strict=True))
    return replace(line, buttons=tuple(keys))


def _code(reader: Reader, code: VisitorCode) -> str:
    window = visits.display(
        When(code.valid_from, code.valid_until), timezone=reader.community.timezone, language=reader.language
    )
    return reader.words("utter_own_code", name=code.name or reader.words("utter_word_own_visitor"), window=window)


def _listed(reader: Reader, home: Member, kind: str, lines: Sequence[str], *, as_of: date, total: str = "") -> Line:
    words = reader.words(
        f"utter_own_{kind}",
        place=archive.place(home.household, reader.language),
        day=reader.day(as_of),
        total=total,
        lines="\n".join(lines),
        phone=reader.community.phone,
    )
    return Line(words)


def _nothing(reader: Reader, home: Member, kind: str) -> Line:
    """Nothing on file is not nothing owed: the desk is offered."""
    place = archive.place(home.household, reader.language)
    return Line(reader.words(f"utter_own_no_{kind}", place=place, phone=reader.community.phone))


TOLD: Mapping[str, Callable[[Reader, Member], Line]] = {
    "fees": _fees,
    "parking": _parking,
    "visitor_codes": _visitor_codes,
}
KINDS = tuple(TOLD)
