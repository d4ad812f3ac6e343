"""Communities: a bot, a staff group, departments with their topics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import TypedDict
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import texts, topics
from service.config import Settings
from service.errors import CommunityNotFound
from service.models.communities import Community, Department, TalksIn
from service.models.talks import Board

DEPARTMENTS = ("engineering", "order", "cleaning", "service")
STAFF_LANGUAGE = "zh"  # of cards and work orders

# When a time of day begins, and the phrase that names it (N2).
TIMES_OF_DAY = (
    (time(0), "utter_word_evening"),
    (time(5), "utter_word_morning"),
    (time(11), "utter_word_noon"),
    (time(13), "utter_word_afternoon"),
    (time(18), "utter_word_evening"),
)


@dataclass(frozen=True)
class Profile:
    """What an operator says about a community."""

    name: str
    timezone: str
    phone: str
    staff_chat_id: int | None
    desk_opens: time = time(8)
    desk_closes: time = time(20)
    quiet_from: time = time(21)
    quiet_until: time = time(8)
    unasked_per_day: int = 1
    survey_every_days: int = 14
    talks_in: TalksIn = TalksIn.GROUP
    console_url: str | None = None
    visit_minutes: int = 120
    visits_per_window: int = 2
    remind_visits_at: time = time(19)


class Address(TypedDict):
    """Where a row of the outbox goes: by whose bot, for which community, into which chat."""

    bot_id: int
    community_id: int
    chat_id: int


def staff_group(session: Session, community_id: int) -> Address | None:
    """The address of a community's staff group; None while it has none."""
    community = session.get_one(Community, community_id)
    if community.staff_chat_id is None:
        return None
    return Address(bot_id=community.bot_id, community_id=community.id, chat_id=community.staff_chat_id)


def profile(settings: Settings) -> Profile:
    """The community, as the settings say."""
    return Profile(
        name=settings.community,
        timezone=settings.timezone,
        phone=settings.phone,
        staff_chat_id=settings.staff_chat_id,
        desk_opens=settings.desk_opens,
        desk_closes=settings.desk_closes,
        quiet_from=settings.quiet_from,
        quiet_until=settings.quiet_until,
        unasked_per_day=settings.unasked_per_day,
        survey_every_days=settings.survey_every_days,
        talks_in=TalksIn(settings.talks_in),
        console_url=str(settings.console_url).rstrip("/"),
        visit_minutes=settings.visit_minutes,
        visits_per_window=settings.visits_per_window,
        remind_visits_at=settings.remind_visits_at,
    )


def settle_in(session: Session, bot_id: int, profile: Profile) -> Community:
    """Make the bot's community as its profile says, or bring it up to date; departments are planned once."""
    facts = {name: value for name, value in vars(profile).items() if value is not None}
    moved_from = session.scalar(select(Community.moved_from).where(Community.bot_id == bot_id))
    if profile.staff_chat_id is not None and profile.staff_chat_id == moved_from:
        facts.pop("staff_chat_id")
    statement = insert(Community).values(bot_id=bot_id, **facts)
    session.execute(statement.on_conflict_do_update(index_elements=["bot_id"], set_=facts))
    community = access_community(session, bot_id)
    session.execute(insert(Board).values(community_id=community.id).on_conflict_do_nothing())
    known = set(session.scalars(select(Department.key).where(Department.community_id == community.id)))
    for key in DEPARTMENTS:
        if key not in known:
            name = texts.words(f"utter_word_{key}", language=STAFF_LANGUAGE)
            topic = topics.open_topic(session, community.id, name)
            session.add(Department(community_id=community.id, key=key, topic_id=topic.id))
    session.flush()
    return community


def hours(session: Session, bot_id: int) -> tuple[object, ...] | None:
    """What its clocks and reminders rest on besides its calendar: the zone and hours; None before it has settled in."""
    hours_of = (Community.timezone, Community.desk_opens, Community.desk_closes, Community.remind_visits_at)
    row = session.execute(select(*hours_of).where(Community.bot_id == bot_id)).one_or_none()
    return None if row is None else tuple(row)


_SERVED_BY = select(Community).where(Community.bot_id == bindparam("bot_id"))


def access_community(session: Session, bot_id: int) -> Community:
    """The community this bot serves."""
    return session.scalars(_SERVED_BY, {"bot_id": bot_id}).one()


def access_by_name(session: Session, name: str | None, *, bot_id: int | None = None) -> Community:
    """The community an operator named, or the one of this bot.

    Raises:
        CommunityNotFound: there is none of this name, or there are several.
    """
    if bot_id is not None:
        return access_community(session, bot_id)
    found = session.scalars(select(Community).where(Community.name == name)).all()
    if len(found) != 1:
        known = session.scalars(select(Community.name).order_by(Community.name))
        raise CommunityNotFound(name=name, known=", ".join(known))
    return found[0]


_DEPARTMENT = select(Department).where(
    Department.community_id == bindparam("community_id"), Department.key == bindparam("key")
)


def department(session: Session, community_id: int, key: str) -> Department:
    """A department of the community."""
    return session.scalars(_DEPARTMENT, {"community_id": community_id, "key": key}).one()


def time_of_day(community: Community, *, now: datetime) -> str:
    """The key of the words that greet at this hour in the community's time zone."""
    local = now.astimezone(ZoneInfo(community.timezone)).time()
    return [key for begins, key in TIMES_OF_DAY if begins <= local][-1]
