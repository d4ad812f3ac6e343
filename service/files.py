"""Photos and files of talks, as staff see them in the console: fetched from Telegram when asked for, kept for a while.

Telegram keeps every file and gives it to the bot alone. So the console asks by a row, the bot's process fetches, and
the row holds the bytes until they have been kept long enough or others need the room. What a file is, its own bytes
say: what residents or their telephones call it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import db
from service.models.communities import Community
from service.models.talks import Conversation, FetchedFile, Message

CHANNEL = "guanjia_files"
KINDS = ("photo", "live_photo", "video", "voice", "audio", "video_note", "animation", "document", "sticker")
MOST_BYTES = 20 * 1024 * 1024  # of one file: Telegram gives no larger one to a bot
ROOM = 512 * 1024 * 1024  # bytes that are kept for one community
KEPT_FOR = timedelta(days=1)
LEASE = timedelta(minutes=2)  # until another process fetches what one has begun and not ended
AGAIN_AFTER = timedelta(seconds=5)  # doubled with each attempt
MOST_ATTEMPTS = 5
ASK_AGAIN_AFTER = timedelta(minutes=1)  # what could not be fetched is asked for again by whoever looks then

# Why there is nothing to show; the console words it (`files.<reason>`).
TOO_LARGE, GONE, AWAY = "too_large", "gone", "away"

# What may be shown in a page, by the bytes it begins with; everything else is only given out to be kept.
SIGNS = (
    ("image/jpeg", 0, b"\xff\xd8\xff"),
    ("image/png", 0, b"\x89PNG\r\n\x1a\n"),
    ("image/gif", 0, b"GIF8"),
    ("image/webp", 8, b"WEBP"),
    ("audio/ogg", 0, b"OggS"),
    ("audio/mpeg", 0, b"ID3"),
    ("audio/mpeg", 0, b"\xff\xfb"),
    ("video/mp4", 4, b"ftyp"),
    ("video/webm", 0, b"\x1aE\xdf\xa3"),
)
ANYTHING = "application/octet-stream"

Media = Mapping[str, Any] | None
Wanted = tuple[int, str]  # the row of a line, and what Telegram calls a file of it


@dataclass(frozen=True)
class Errand:
    """A file that is to be fetched now."""

    id: int
    file_id: str
    attempts: int


@dataclass(frozen=True)
class Look:
    """How it stands with a file that was asked for."""

    type: str | None  # by its bytes; None: it is not here
    refused: str | None = None  # why it never will be

    @property
    def is_picture(self) -> bool:
        """Whether a page may show it as one."""
        return (self.type or "").startswith("image/")


def whole(media: Media) -> str | None:
    """What Telegram calls the file of a line; None when it has none: a place, a contact, a poll."""
    return _id(_body(media))


def small(media: Media) -> str | None:
    """What Telegram calls a small picture of it; the photo itself when it has none."""
    body = _body(media)
    thumbnail = body.get("thumbnail")
    own = whole(media) if (media or {}).get("kind") == "photo" else None
    return _id(thumbnail) if isinstance(thumbnail, dict) else own


def name(media: Media) -> str:
    """How the sender called the file; photos and voices have no name."""
    return str(_body(media).get("file_name") or "")


def _body(media: Media) -> Mapping[str, Any]:
    kind = (media or {}).get("kind")
    body = (media or {}).get(kind) if kind in KINDS else None
    return body if isinstance(body, dict) else {}


def _id(body: Mapping[str, Any]) -> str | None:
    found = body.get("file_id")
    return found if isinstance(found, str) and found else None


def type_of(content: bytes) -> str:
    """What the bytes are; what nobody needs to see in a page is anything."""
    return next((kind for kind, at, sign in SIGNS if content[at : at + len(sign)] == sign), ANYTHING)


# --- The console asks and shows -------------------------------------------------------------------------------------


def line(session: Session, community_id: int, message_id: int) -> Message | None:
    """A line of one of the community's talks that has a file."""
    talks = select(Conversation.id).where(Conversation.community_id == community_id)
    found = session.scalar(select(Message).where(Message.id == message_id, Message.conversation_id.in_(talks)))
    return found if found is not None and whole(found.media) else None


def ask(session: Session, community_id: int, wanted: Iterable[Wanted], *, now: datetime) -> Mapping[Wanted, Look]:
    """How it stands with these files; those that nobody has asked for yet are asked for.

    Args:
        session: the caller's transaction.
        community_id: whose; the caller has made sure that the lines are theirs.
        wanted: files of lines.
        now: the moment, aware UTC.
    """
    asked = list(dict.fromkeys(wanted))
    known = _known(session, asked)
    missing = [one for one in asked if one not in known or _may_be_asked_again(known[one], now)]
    if missing:
        _ask(session, community_id, missing, now=now)
    looks = {one: Look(row.type, row.refused) for one, row in known.items()}
    return {one: Look(None) if one in missing else looks[one] for one in asked}


def _known(session: Session, wanted: Sequence[Wanted]) -> Mapping[Wanted, FetchedFile]:
    if not wanted:
        return {}
    key = tuple_(FetchedFile.message_id, FetchedFile.file_id)
    return {(row.message_id, row.file_id): row for row in session.scalars(select(FetchedFile).where(key.in_(wanted)))}


def _may_be_asked_again(row: FetchedFile, now: datetime) -> bool:
    return row.refused == AWAY and row.asked_at < now - ASK_AGAIN_AFTER


def _ask(session: Session, community_id: int, missing: Sequence[Wanted], *, now: datetime) -> None:
    asked = {"community_id": community_id, "asked_at": now, "due_at": now, "attempts": 0, "refused": None}
    rows = [
        {"message_id": row, "file_id": file_id, **asked} for row, file_id in sorted(missing)
    ]  # in one order for all
    put = insert(FetchedFile).values(rows)
    again = {name: put.excluded[name] for name in ("asked_at", "due_at", "attempts", "refused")}
    session.execute(
        put.on_conflict_do_update(
            index_elements=["message_id", "file_id"], set_=again, where=FetchedFile.refused == AWAY
        )
    )
    db.notify(session, CHANNEL)


def content(session: Session, wanted: Wanted) -> tuple[bytes, str] | None:
    """The bytes of a file and what they are; None when it is not here."""
    row = _known(session, [wanted]).get(wanted)
    if row is None or row.type is None or row.content is None:
        return None
    return row.content, row.type


# --- The bot's process fetches --------------------------------------------------------------------------------------


def take(session: Session, bot_id: int, *, limit: int, now: datetime) -> Sequence[Errand]:
    """The next files to fetch; each is due again by itself when nothing becomes of it."""
    due = (
        select(FetchedFile)
        .join(Community, Community.id == FetchedFile.community_id)
        .where(Community.bot_id == bot_id, FetchedFile.due_at <= now)
        .order_by(FetchedFile.due_at)
        .limit(limit)
        .with_for_update(of=FetchedFile, skip_locked=True)
    )
    rows = session.scalars(due).all()
    for row in rows:
        row.due_at, row.attempts = now + LEASE, row.attempts + 1
    return [Errand(row.id, row.file_id, row.attempts) for row in rows]


def seconds_to_next(session: Session, bot_id: int, *, now: datetime) -> float | None:
    """How long until there is something to fetch; None when nothing waits."""
    due = select(func.min(FetchedFile.due_at)).join(Community, Community.id == FetchedFile.community_id)
    at = session.scalar(due.where(Community.bot_id == bot_id))
    return None if at is None else max((at - now).total_seconds(), 0.0)


def keep(session: Session, errand: Errand, fetched: bytes) -> None:
    """Keep what was fetched; nothing is kept of who was forgotten meanwhile."""
    if len(fetched) > MOST_BYTES:
        refuse(session, errand, TOO_LARGE)
        return
    row = _settle(session, errand, content=fetched, type=type_of(fetched))
    if row is not None:
        _make_room(session, row)


def refuse(session: Session, errand: Errand, reason: str) -> None:
    """Write down why there is nothing to show."""
    _settle(session, errand, refused=reason)


def later(session: Session, errand: Errand, *, now: datetime, wait: timedelta | None = None) -> None:
    """Telegram did not answer: try again after a while, and give up in the end."""
    if errand.attempts >= MOST_ATTEMPTS:
        refuse(session, errand, AWAY)
        return
    due = now + (wait or AGAIN_AFTER * 2 ** (errand.attempts - 1))
    session.execute(update(FetchedFile).where(FetchedFile.id == errand.id).values(due_at=due))


def _settle(session: Session, errand: Errand, **facts: object) -> int | None:
    settled = update(FetchedFile).where(FetchedFile.id == errand.id).values(due_at=None, **facts)
    community_id = session.scalar(settled.returning(FetchedFile.community_id))
    db.notify(session, CHANNEL)
    return community_id


def _make_room(session: Session, community_id: int) -> None:
    """Let the oldest go when a community has more than its room."""
    upto = func.sum(func.coalesce(func.octet_length(FetchedFile.content), 0)).over(
        order_by=(FetchedFile.asked_at.desc(), FetchedFile.id.desc())
    )
    kept = select(FetchedFile.id, upto.label("upto")).where(FetchedFile.community_id == community_id).subquery()
    session.execute(delete(FetchedFile).where(FetchedFile.id.in_(select(kept.c.id).where(kept.c.upto > ROOM))))


def let_go(session: Session, *, now: datetime, limit: int) -> int:
    """Delete what has been kept long enough.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: files of one transaction.

    Returns:
        How many.
    """
    old = select(FetchedFile.id).where(FetchedFile.asked_at < now - KEPT_FOR).limit(limit)
    gone: CursorResult[Any] = session.execute(delete(FetchedFile).where(FetchedFile.id.in_(old)))  # type: ignore[assignment]
    return gone.rowcount
