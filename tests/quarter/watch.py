"""What must never happen in a quarter: looked for whenever something arrives or changes, and all over at the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, text

from service.sending import Parcel

QUIET_FROM, QUIET_UNTIL = time(21), time(8)
FORTNIGHT = timedelta(days=14)
AT_ONCE = timedelta(minutes=15)  # within it, what follows on the resident's own tap comes at their hour
RATIONED = ("call_back", "reminder")  # one a day, in waking hours
SURVEY, INCIDENT_OVER, PROGRESS_NOTE = "survey", "incident_over", "progress_note"
VISIT_REMINDER, MOST_REMINDERS = "visit_reminder", 2  # of one visit: the evening before, an hour before
BY_DAY = (*RATIONED, SURVEY, INCIDENT_OVER, PROGRESS_NOTE, VISIT_REMINDER)

_LINES = text("""
    SELECT line.id, line.epoch, talk.owner, resident.questions_off_since FROM outbox AS line
    JOIN conversations AS talk ON talk.id = line.conversation_id
    JOIN residents AS resident ON resident.id = talk.resident_id
    WHERE line.id = ANY(:ids)
""")
# Of a visit that somebody is reminded of: whether it is off, by more than what happens at this very moment.
_VISIT = text("""
    SELECT begins_at, state NOT IN ('proposed', 'agreed') AND NOT EXISTS (
        SELECT FROM case_events AS step WHERE step.case_id = appointments.case_id AND step.at = :now) AS is_off
    FROM appointments WHERE id = :id
""")
_SURVEY = text("SELECT case_id, resolution FROM surveys WHERE id = :id")

# What changed since the last look: the newest step, and what was finished without a call-back in the same transaction.
# A thousand steps at most, so that one plan does for every look; what is beyond them is seen in the next.
NEWS = """
    SELECT max(step.id) AS newest, array_agg(step.case_id) FILTER (WHERE step.event = 'finished' AND NOT EXISTS (
        SELECT 1 FROM call_backs AS c WHERE c.case_id = step.case_id AND c.resolution = (
            SELECT count(*) FROM case_events AS f
            WHERE f.case_id = step.case_id AND f.event = 'finished' AND f.id <= step.id))) AS forgotten
    FROM (SELECT * FROM case_events WHERE id > :after ORDER BY id LIMIT 1000) AS step
"""

# At the end: each names what breaks a promise.
AT_THE_END: Mapping[str, str] = {
    "finished and neither called back nor with a reason": """
        SELECT number FROM cases JOIN generate_series(1, cases.resolution) AS nth ON true
        LEFT JOIN call_backs AS c ON c.case_id = cases.id AND c.resolution = nth
        WHERE NOT coalesce(c.state = 'answered' AND c.outcome IS NOT NULL
                           OR c.state = 'cancelled' AND c.reason > '', false)
    """,
    "holds, and neither rated nor with a reason": """
        SELECT number FROM cases JOIN call_backs AS c ON c.case_id = cases.id AND c.outcome = 'held'
        LEFT JOIN surveys AS s ON s.case_id = cases.id AND s.resolution = c.resolution
        WHERE NOT coalesce(s.state = 'answered' AND s.stars BETWEEN 1 AND 5
                           OR s.state = 'cancelled' AND s.reason > '', false)
    """,
    "written, and its end is unknown": """
        SELECT kind || ' ' || state || coalesce(' ' || reason, '') FROM outbox
        WHERE state NOT IN ('sent', 'dropped') OR state = 'dropped' AND reason IS NULL
    """,
    "more than one unasked-for message a day": """
        SELECT resident_id FROM unasked_messages WHERE kind <> 'survey' AND NOT urgent
        GROUP BY resident_id, (sent_at AT TIME ZONE 'Asia/Shanghai')::date HAVING count(*) > 1
    """,
    "two surveys within a fortnight": """
        SELECT a.resident_id FROM unasked_messages AS a JOIN unasked_messages AS b
        ON b.resident_id = a.resident_id AND b.kind = 'survey' AND a.kind = 'survey' AND b.id > a.id
        AND b.sent_at < a.sent_at + interval '14 days'
    """,
    "a case that never ended": """
        SELECT number || ' ' || state FROM cases WHERE state NOT IN ('finished', 'closed', 'withdrawn')
    """,
    "a visit that never ended": """
        SELECT id || ' ' || state || coalesce(' ' || step, '') FROM appointments
        WHERE state IN ('proposed', 'agreed') OR due_at IS NOT NULL
    """,
    "joined to an incident and never told": """
        SELECT id FROM incident_reports
        WHERE due_at IS NOT NULL OR told_at IS NULL AND outcome IS NULL AND reason IS NULL
    """,
    "somebody waited for a person and still does": "SELECT conversation_id FROM waits WHERE ended_at IS NULL",
    "a talk that nobody ended": "SELECT id FROM conversations WHERE owner = 'butler'",
    "found by the nightly self-check": "SELECT violations FROM self_checks WHERE violations <> '[]'",
    "the log of who answers has a gap": """
        SELECT talk.id FROM conversations AS talk JOIN handovers AS log ON log.conversation_id = talk.id
        GROUP BY talk.id HAVING max(log.epoch) <> talk.epoch OR count(*) <> talk.epoch
    """,
}


@dataclass
class Watch:
    """Looks on, and remembers only what it needs to see the next violation."""

    eyes: Connection
    zone: str
    seen: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    uncertain: set[int] = field(default_factory=set)  # rows whose arrival nobody knew of at some time
    sent_again: set[int] = field(default_factory=set)  # rows a person wanted to go out again

    def __post_init__(self) -> None:
        self._facts: dict[int, Row[Any]] = {}
        self._arrived: Counter[int] = Counter()
        self._questions: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._days: dict[tuple[int, date], set[int]] = defaultdict(set)
        self._surveyed: dict[int, datetime] = {}
        self._resolutions: dict[tuple[int, int], int] = {}
        self._tapped: dict[int, datetime] = {}
        self._too_early: dict[tuple[int, datetime], str] = {}  # surveys in quiet hours before any tap is known of

    def hears(self, chat_id: int, *, now: datetime) -> None:
        """The resident has done something."""
        self._tapped[chat_id] = now
        self._too_early.pop((chat_id, now), None)

    def expect(self, parcels: Sequence[Parcel]) -> None:
        """These are on their way: nobody may take their residents over until they have arrived."""
        ids = [parcel.id for parcel in parcels if parcel.chat_id > 0 and parcel.act == "say"]
        self._facts = {row.id: row for row in self.eyes.execute(_LINES, {"ids": ids})} if ids else {}

    def arrived(self, parcel: Parcel, *, now: datetime) -> None:
        """Telegram has taken a message in."""
        self.seen[f"arrived: {parcel.kind}"] += 1
        self.violations += [f"{now:%m-%d %H:%M} {parcel.kind} {parcel.id}: {what}" for what in self._wrong(parcel, now)]

    def _wrong(self, parcel: Parcel, now: datetime) -> Iterator[str]:
        self._arrived[parcel.id] += 1
        declared = parcel.id in self.sent_again
        doubtful = parcel.id in self.uncertain and parcel.delivery != "at_most_once"
        if self._arrived[parcel.id] > 1 and not (declared or doubtful):
            yield "it came twice"
        if parcel.chat_id < 0 or parcel.act != "say":
            return
        facts = self._facts.pop(parcel.id, None)
        if facts is not None and facts.epoch is not None and facts.owner == "butler":
            yield "the bot speaks while a butler has the talk"
        if parcel.kind in BY_DAY and not declared:
            yield from self._at_night(parcel, now)
        if parcel.kind == VISIT_REMINDER and not declared:
            yield from self._reminded_wrongly(parcel, now)
        if parcel.kind == INCIDENT_OVER and not declared:
            yield from self._asked_twice(parcel)
        if parcel.kind in (*RATIONED, SURVEY) and not declared:
            yield from self._asked_wrongly(parcel, facts, now)

    def _asked_wrongly(self, parcel: Parcel, facts: Row[Any] | None, now: datetime) -> Iterator[str]:
        if facts is not None and facts.questions_off_since is not None and facts.questions_off_since < now:
            yield "they do not want to be asked"
        yield from self._asked_twice(parcel)
        yield from self._too_often(parcel, now)

    def _reminded_wrongly(self, parcel: Parcel, now: datetime) -> Iterator[str]:
        subject = subject_of(parcel)
        reminders = self._questions[parcel.kind, subject]
        reminders.add(parcel.id)
        if len(reminders) > MOST_REMINDERS:
            yield f"{subject} was announced before"
        visit = self.eyes.execute(_VISIT, {"id": subject.partition(":")[2], "now": now}).one()
        if visit.begins_at <= now:
            yield f"{subject} has begun"
        if visit.is_off:
            yield f"{subject} is off"

    def _asked_twice(self, parcel: Parcel) -> Iterator[str]:
        subject = subject_of(parcel)
        rows = self._questions[parcel.kind, subject]
        rows.add(parcel.id)
        if len(rows - self.sent_again) > 1 and not rows & self.sent_again:
            yield f"{subject} was asked before"
        if parcel.kind == SURVEY:
            resolution = tuple(self.eyes.execute(_SURVEY, {"id": subject.partition(":")[2]}).one())
            if self._resolutions.setdefault(resolution, parcel.id) != parcel.id:
                yield "this resolution was surveyed before"

    def _at_night(self, parcel: Parcel, now: datetime) -> Iterator[str]:
        clock = now.astimezone(ZoneInfo(self.zone)).time()
        follows = (
            parcel.kind == SURVEY
            and now - self._tapped.get(parcel.chat_id, datetime.min.replace(tzinfo=now.tzinfo)) <= AT_ONCE
        )
        if QUIET_UNTIL <= clock < QUIET_FROM or follows:
            return
        if parcel.kind == SURVEY:
            self._too_early[parcel.chat_id, now] = f"{now:%m-%d %H:%M} survey {parcel.id}: in the quiet hours"
        else:
            yield "in the quiet hours"

    def _too_often(self, parcel: Parcel, now: datetime) -> Iterator[str]:
        if parcel.kind == SURVEY:
            last = self._surveyed.get(parcel.chat_id)
            if self._arrived[parcel.id] == 1:
                self._surveyed[parcel.chat_id] = now
            if last is not None and now < last + FORTNIGHT:
                yield f"the last survey came only {now - last} ago"
            return
        today = self._days[parcel.chat_id, now.astimezone(ZoneInfo(self.zone)).date()]
        today.add(parcel.id)
        if len(today) > 1:
            yield "the second unasked-for message of the day"

    def forgotten(self, case_id: int) -> None:
        """`NEWS` has found a case that was finished without a call-back."""
        self.violations.append(f"case {case_id} was finished without a call-back")

    def look_at_everything(self) -> None:
        """The whole story again, when it is over."""
        self.violations += self._too_early.values()
        for what, question in AT_THE_END.items():
            self.violations += [f"{what}: {row[0]}" for row in self.eyes.execute(text(question)).all()]


def subject_of(parcel: Parcel) -> str:
    """What a question is about, as its buttons say: cb:12, s:7."""
    buttons: list[dict[str, Any]] = parcel.payload.get("buttons") or [{"data": "::"}]
    return str(buttons[0].get("data", "::")).rpartition(":")[0]
