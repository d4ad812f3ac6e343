"""`guanjia schedule`: what is still to come, what was not sent and why; hold and release; what may not have arrived."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from cli.starting import named_community, operator, refusals, settings_for

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from service.models.communities import Community
    from service.schedule import FollowUp, Wanted

app = typer.Typer()
schedule = typer.Typer(help="What is due, why something was not sent; hold and release.")
app.add_typer(schedule, name="schedule")


class Spoken(StrEnum):
    """In which language words are shown."""

    ZH = "zh"
    EN = "en"


AHEAD = timedelta(days=1)  # what is listed when no period is named …
BACK = timedelta(days=7)  # … and how far back what was not sent
LOCAL = ["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]

Of = Annotated[str | None, typer.Option("--community", help="Its name; default: the one of the settings.")]
Since = Annotated[datetime | None, typer.Option("--from", formats=LOCAL, help="From here, in the community's time.")]
Until = Annotated[datetime | None, typer.Option("--to", formats=LOCAL, help="To here, not included.")]
Language = Annotated[Spoken, typer.Option("--language", help="Of kinds and reasons.")]
Json = Annotated[bool, typer.Option("--json", help="For other programs.")]
Number = Annotated[int, typer.Argument(help="As the list shows it.")]
KindOf = Annotated[str, typer.Argument(metavar="KIND", help="call_back, reminder, phone_call, clock …")]


@schedule.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    case: Annotated[str | None, typer.Option(help="Only of this case, by its number.")] = None,
    resident: Annotated[
        str | None, typer.Option(help="Only of this resident: a case's number, telephone or Telegram number.")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only of this kind; may be given several times.")] = None,
    held: Annotated[bool, typer.Option("--held", help="Only what somebody holds back.")] = False,
    not_sent: Annotated[bool, typer.Option("--not-sent", help="Instead: what was not sent, and why.")] = False,
    limit: Annotated[int, typer.Option(help="Rows at the most.", min=1)] = 100,
    community: Of = None,
    language: Language = Spoken.EN,
    as_json: Json = False,
) -> None:
    """List what is due within a day, or in a period, the soonest first; rows are named by number, nobody by name."""
    if context.invoked_subcommand is not None:
        return
    from service import schedule as rows
    from service.schedule import Wanted

    now = datetime.now(UTC)
    with refusals(), named_community(settings_for("schedule", token=False), community) as (session, whose):
        zone = ZoneInfo(whose.timezone)
        begins, ends = (_moment(since, zone), _moment(until, zone))
        narrowed = case or resident or held
        wanted = Wanted(
            whose.id,
            since=begins or (now - BACK if not_sent and not narrowed else None),
            until=ends or (None if not_sent or narrowed else now + AHEAD),
            case=case,
            conversation_id=_talk(session, whose, resident) if resident else None,
            kinds=kind or (),
            held=held,
        )
        _known(wanted)
        found = (rows.not_sent if not_sent else rows.to_come)(session, wanted, limit=limit)
        _print(found, zone=zone, now=now, language=language, as_json=as_json)


@schedule.command("hold")
def hold(
    kind: KindOf,
    number: Number,
    why: Annotated[str, typer.Option(help="Why; it is written down with your name.")],
    community: Of = None,
) -> None:
    """Hold a row back: no sweep takes it until it is released."""
    from service import schedule as rows

    with refusals(), named_community(settings_for("schedule", token=False), community) as (session, whose):
        rows.hold(session, whose.id, kind, number, by=operator(), why=why, now=datetime.now(UTC))
    typer.echo(f"{kind} {number} is held")


@schedule.command("release")
def release(kind: KindOf, number: Number, community: Of = None) -> None:
    """Let a row go again."""
    from service import schedule as rows

    with refusals(), named_community(settings_for("schedule", token=False), community) as (session, whose):
        rows.release(session, whose.id, kind, number, by=operator(), now=datetime.now(UTC))
    typer.echo(f"{kind} {number} is released")


@schedule.command("unconfirmed")
def unconfirmed(
    again: Annotated[int | None, typer.Option(metavar="NUMBER", help="Send this one again.")] = None,
    arrived: Annotated[int | None, typer.Option(metavar="NUMBER", help="This one arrived.")] = None,
    community: Of = None,
    language: Language = Spoken.EN,
    as_json: Json = False,
) -> None:
    """List what may or may not have arrived, or settle one as staff do by a tap."""
    from service import schedule as rows

    with refusals(), named_community(settings_for("schedule", token=False), community) as (session, whose):
        for number, came in ((again, False), (arrived, True)):
            if number is not None:
                _settle(session, whose, number, arrived=came)
        found = rows.unconfirmed(session, whose.id)
        _print(found, zone=ZoneInfo(whose.timezone), now=datetime.now(UTC), language=language, as_json=as_json)


def _settle(session: Session, whose: Community, number: int, *, arrived: bool) -> None:
    from service import delivery
    from service.errors import ButtonExpired, FollowUpNotFound

    try:
        delivery.decide(session, whose.id, number, arrived=arrived, now=datetime.now(UTC))
    except ButtonExpired as error:
        raise FollowUpNotFound(kind="unconfirmed", number=number) from error


def _talk(session: Session, whose: Community, resident: str) -> int:
    from service import transcripts
    from service.errors import TranscriptNotFound

    try:
        return transcripts.access_conversation(session, whose.id, resident).id
    except TranscriptNotFound:
        sys.exit(f"{resident}: no case, telephone or Telegram number of one resident here")


def _known(wanted: Wanted) -> None:
    from service.schedule import KINDS, NOT_SENT

    names = [kind.name for kind in (*KINDS, *NOT_SENT)]
    unknown = [name for name in wanted.kinds if name not in names]
    if unknown:
        sys.exit(f"no such kind: {', '.join(unknown)}; there are: {', '.join(dict.fromkeys(names))}")


def _moment(local: datetime | None, zone: ZoneInfo) -> datetime | None:
    return None if local is None else local.replace(tzinfo=zone).astimezone(UTC)


def _print(found: Sequence[FollowUp], *, zone: ZoneInfo, now: datetime, language: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_plain(row, zone, language) for row in found], ensure_ascii=False, indent=1))
        return
    for row in found:
        typer.echo(_line(row, zone=zone, now=now, language=language))
    if not found:
        typer.echo("none", err=True)


def _plain(row: FollowUp, zone: ZoneInfo, language: str) -> dict[str, object]:
    from service.schedule import words

    facts = {name: _local(value, zone) for name, value in asdict(row).items()}
    said = {"reason": row.reason, "delivery_reason": row.delivery_reason}
    return facts | {f"{name}_in_words": words(reason, language) or None for name, reason in said.items()}


def _local(value: object, zone: ZoneInfo) -> object:
    return value.astimezone(zone).isoformat() if isinstance(value, datetime) else value


def _line(row: FollowUp, *, zone: ZoneInfo, now: datetime, language: str) -> str:
    from service import texts
    from service.schedule import words

    kind = texts.words(f"utter_word_follow_up_{row.kind}", language=language)
    late = "!" if row.due_at <= now else " "
    told = [
        row.detail,
        words(row.reason, language),
        f"{row.delivery} {words(row.delivery_reason, language)}".strip() if row.delivery else None,
        texts.words("utter_word_schedule_held", language=language, by=row.held_by, why=row.held_why)
        if row.held_by
        else None,
    ]
    whose = row.case or (f"№ {row.conversation}" if row.conversation else "")
    head = f"{row.due_at.astimezone(zone):%Y-%m-%d %H:%M}{late} {row.kind:13}{row.number:8}  {whose:12} {kind}"
    return "; ".join([head, *filter(None, told)])
