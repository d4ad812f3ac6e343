"""Residents, butlers and departments of a quarter: what they do by themselves, and how they take what arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from service import (
    appointments,
    bookings,
    budget,
    callbacks,
    cases,
    conversations,
    delivery,
    desk,
    legacy,
    phone_calls,
    progress_notes,
    proposals,
    relays,
    residents,
    surveys,
    takeover,
    texts,
    transfer,
    work,
    work_orders,
)
from service.cases import Facts
from service.conversations import Said
from service.models.cases import Case
from service.models.follow_ups import CallBack, Outcome
from service.models.people import Role, Staff
from service.models.talks import Conversation, Owner
from service.relays import Bundle
from service.sending import Parcel
from service.staff import access_staff
from tests.quarter import incidents
from tests.quarter.world import MINUTE, ZONE, World
from tests.stage import BOT_ID, STAFF_CHAT

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST_CHAT = 10_000
BUTLERS, WORKERS = 8, 20
HOURS_OF_DAY = (1, 0, 0, 0, 0, 1, 3, 6, 9, 9, 8, 7, 5, 4, 5, 6, 6, 6, 7, 8, 7, 5, 3, 2)  # how often something happens

MATTERS = (
    ("repair", "厨房水管漏水"), ("repair", "卫生间地漏堵了"), ("repair", "客厅插座没电"), ("repair", "电梯按钮坏了"),
    ("repair", "楼道灯不亮"), ("repair", "厨房燃气灶打不着火"), ("repair", "装修后墙面掉漆"), ("repair", "门锁坏了"),
    ("repair", "暖气不热"), ("complaint", "楼上半夜太吵"), ("complaint", "垃圾没人清理"), ("complaint", "有人乱停车"),
    ("inquiry", "物业费怎么开发票"), ("request_service", "想请人擦玻璃"), ("suggestion", "希望多放几个充电桩"),
)  # fmt: skip

# The way of a case through its department: each step, how likely it is, and how long it takes on average.
WAY = (
    ("accept", 0.96, 25), ("hand_on", 0.04, 20), ("kind", 0.03, 20), ("ask", 0.06, 30), ("visit", 0.12, 20),
    ("legacy", 0.08, 20), ("note", 0.15, 40),
    ("depart", 0.35, 60), ("nobody_home", 0.04, 20), ("arrive", 0.45, 40), ("pause", 0.09, 30), ("done", 1.0, 90),
)  # fmt: skip
ON_SITE = ("depart", "nobody_home", "arrive", "done")  # steps that wait for an appointment
VISITS = 0.3  # of those who are offered windows when the case is opened; the others are called by phone
STARS = (1, 2, 3, 4, 4, 5, 5, 5, 5, 5, 5)
CALLS = ("held", "held", "held", "held", "not_held", "partly", "no_answer", "no_answer", "declined")


@dataclass(frozen=True)
class Scale:
    """How large a story is."""

    households: int
    cases: int
    begins: datetime  # local midnight
    days: int

    @property
    def ends(self) -> datetime:
        """The last moment at which anybody brings anything."""
        return self.begins + self.days * DAY

    def part(self, estates: int) -> Scale:
        """One of several estates of the same size."""
        return replace(self, households=self.households // estates, cases=self.cases // estates)

    def times(self, per_quarter: int) -> int:
        """As often as that in a quarter of 2,000 households, here."""
        return round(per_quarter * self.cases / 6_000)


QUARTER = Scale(2_000, 6_000, datetime(2026, 9, 7, tzinfo=ZoneInfo(ZONE)), 91)
WEEK = Scale(40, 36, datetime(2026, 9, 19, tzinfo=ZoneInfo(ZONE)), 8)  # a Sunday that is worked, and a holiday
TAIL = timedelta(days=60)  # until the last call-back is over


@dataclass
class Told:
    """What the story knows of a case, to count by."""

    kind: str
    chat: int
    message_id: int
    first: Outcome | None = None  # what was said about the first resolution
    reopened: bool = False


@dataclass
class People:
    """Everybody, by chat and by number."""

    world: World
    scale: Scale
    told: dict[int, Told] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance: Random = self.world.chance
        self.world.hears = self.hear
        self._offered: set[int] = set()  # cases of which somebody was shown windows
        with self.world.sessions.begin() as session:
            staff = [self._member(session, number) for number in range(BUTLERS + WORKERS)]
        self._butlers, self._workers = staff[:BUTLERS], staff[BUTLERS:]

    def _member(self, session: Session, number: int) -> int:
        member = access_staff(session, self.world.community_id, 9_000 + number, display_name=f"管家{number}")
        member.role = Role.BUTLER if number < BUTLERS else Role.DEPARTMENT
        session.flush()
        return member.id

    def make_plans(self) -> None:
        """What happens without being asked for; everything else follows from it."""
        for what, times in (
            (self.bring_a_case, self.scale.cases),
            (self.ask_for_a_person, self.scale.times(500)),
            (self.butler_steps_in, self.scale.times(100)),
            (self.unsubscribe, self.scale.times(90)),
            (self.block, self.scale.times(60)),
        ):
            for _ in range(times):
                self.world.at(self._some_time(), partial(what, self.somebody()))
        for _ in range(max(1, self.scale.times(12))):
            self.world.at(self._some_time(), partial(incidents.break_down, self))
        for day in range(5, self.scale.days, 13):  # at the end of the quiet hours, and shortly before they begin
            begins = self.scale.begins + day * DAY + self.chance.choice((8 * HOUR, 20 * HOUR + 50 * MINUTE))
            self.world.at(begins, partial(self.world.go_down, self.chance.randint(10, 30 * 60) * MINUTE))

    def somebody(self) -> int:
        return FIRST_CHAT + self.chance.randrange(self.scale.households)

    def _some_time(self) -> datetime:
        [hour] = self.chance.choices(range(24), HOURS_OF_DAY)
        return self.scale.begins + self.chance.randrange(self.scale.days) * DAY + hour * HOUR + self.minutes(60)

    def minutes(self, most: int) -> timedelta:
        return self.chance.randrange(most) * MINUTE

    def _at_work(self, mean: float) -> datetime:
        """When staff get to it: most of them in the desk's hours."""
        moment = self.world.now + round(self.chance.expovariate(1 / mean)) * MINUTE
        if self.chance.random() < 0.1:
            return moment
        return self.world.calendar.next_opening(moment) + (
            self.minutes(60) if not self.world.calendar.is_open(moment) else 0 * MINUTE
        )

    def key(self, what: str) -> str:
        return f"{what}:{self.world.number()}"

    # --- Residents --------------------------------------------------------------------------------------------------

    def talk_with(self, session: Session, chat: int) -> Conversation:
        """As every handler begins: whoever writes can be reached."""
        name, language = f"住户{chat}", "en" if chat % 10 == 0 else "zh"
        talk = residents.access_conversation(
            session, self.world.community_id, chat, display_name=name, language=language
        )
        residents.reachable(talk.resident)
        return talk

    def says(self, session: Session, talk: Conversation, words: str, number: int) -> None:
        said = Said("text", words, talk.resident.chat_id, number, inbox_id=number)
        conversations.hear(session, talk, said, now=self.world.now)
        if talk.owner is not Owner.BOT:
            bundle = Bundle(talk.resident.chat_id, [(number, "text")], "copy", _copy(talk.resident.chat_id, number))
            relays.pass_on(session, talk, bundle)

    def writes(self, chat: int) -> None:
        self.world.machine.hears(chat, self.world.now)

    def bring_a_case(self, chat: int) -> None:
        """Something is broken, too loud, or to be asked."""
        kind, matter = self.chance.choice(MATTERS)
        number, now = self.world.number(), self.world.now
        visit = now + self.chance.randrange(1, 48) * HOUR if kind == "repair" and self.chance.random() < 0.2 else None
        by_visit = self.chance.random() < VISITS
        facts = Facts(kind, matter, place="3栋2单元1201", wanted_from=visit, wanted_until=visit, phone="13800000000")

        def act(session: Session) -> Case | None:
            talk = self.talk_with(session, chat)
            self.says(session, talk, matter, number)
            if talk.owner is not Owner.BOT:
                return None  # the butler who has the talk takes care of it
            case = cases.open_case(session, talk, facts, source=f"turn:{number}", now=now)
            line = texts.say("utter_case_opened", language=talk.resident.language, number=case.number)
            conversations.tell(session, talk, line, now=now, key=f"turn:{number}:reply:0")
            offered = appointments.after_opening(session, case, key=f"turn:{number}", now=now) if by_visit else None
            if offered is not None:
                appointments.tell(session, case, offered, key=f"turn:{number}:reply:1", now=now)
            return case

        self.writes(chat)
        case = self.world.do(act)
        if isinstance(case, Case):
            self.world.saw("cases opened")
            self.takes_care_of(case.id, kind, chat, number)
            for chance, what in ((0.05, self.urge), (0.02, self.withdraw), (0.04, self.edit)):
                if self.chance.random() < chance:
                    self.world.after(self.minutes(600), partial(what, case.id))

    def takes_care_of(self, case_id: int, kind: str, chat: int, number: int) -> None:
        """A case has been opened: the story knows of it, and its department goes to work; once."""
        told = Told(kind, chat, number)
        if self.told.setdefault(case_id, told) is told:
            self.work_on(case_id)

    def _with_case(self, case_id: int, act: Callable[[Session, Case], Any]) -> Any:
        """Something a resident does with their own case."""
        chat = self.told[case_id].chat
        self.writes(chat)

        def step(session: Session) -> Any:
            talk = self.talk_with(session, chat)
            return act(session, cases.access_case(session, talk, case_id))

        return self.world.do(step)

    def urge(self, case_id: int) -> None:
        """How far is it?"""
        key, now = self.key("urge"), self.world.now
        self._with_case(case_id, lambda session, case: cases.urge(session, case, key=key, now=now))

    def withdraw(self, case_id: int) -> None:
        """It has become unnecessary."""
        key, now, event = self.key("withdraw"), self.world.now, cases.Event.WITHDRAWN
        self._with_case(
            case_id, lambda session, case: cases.advance(session, case, event, actor="resident", key=key, now=now)
        )

    def edit(self, case_id: int) -> None:
        """They change their first message; its department reads the new words."""
        told, key, now = self.told[case_id], self.key("edit"), self.world.now

        def act(session: Session, case: Case) -> None:
            said = Said("text", f"{case.matter}，很急", told.chat, told.message_id, inbox_id=told.message_id)
            if conversations.amend(session, case.conversation, said, now=now):
                work_orders.note(session, case, "utter_staff_edited", key=f"{key}:edited", text=said.text)

        self._with_case(case_id, act)

    def give_info(self, case_id: int) -> None:
        """What the department asked for."""
        key, now = self.key("info"), self.world.now
        self._with_case(case_id, lambda session, case: work.give_info(session, case, "家里有人", key=key, now=now))

    def write_that_it_failed(self, case_id: int) -> None:
        """还没好, before or after anybody asked."""
        key, now = self.key("again"), self.world.now
        if self._with_case(case_id, lambda session, case: callbacks.reopen(session, case, key=key, now=now)):
            self._reopened(case_id)

    def _reopened(self, case_id: int) -> None:
        self.world.saw("cases reopened")
        self.told[case_id].reopened = True
        self.work_on(case_id)

    def unsubscribe(self, chat: int) -> None:
        """退订, for a while or for ever."""
        self._wish(chat, "退订")
        if self.chance.random() < 0.5:
            self.world.after(self.chance.randrange(1, 30) * DAY, partial(self._wish, chat, "恢复"))

    def _wish(self, chat: int, words: str) -> None:
        key, now = self.key("wish"), self.world.now
        self.writes(chat)
        self.world.do(lambda session: budget.obey(session, self.talk_with(session, chat), words, key=key, now=now))

    def block(self, chat: int) -> None:
        """They block the bot; of every second one Telegram tells at once, the others are noticed at the next line."""
        self.world.machine.blocked(chat)
        if self.chance.random() < 0.5:
            self.world.do(lambda session: delivery.unreachable(session, BOT_ID, chat, now=self.world.now))

    # --- Departments ------------------------------------------------------------------------------------------------

    def work_on(self, case_id: int) -> None:
        """The department goes its way with the case, step by step."""
        way = [(verb, mean) for verb, chance, mean in WAY if self.chance.random() < chance]
        self._next_step(case_id, iter(way), self.chance.choice(self._workers))

    def _next_step(self, case_id: int, way: Iterator[tuple[str, int]], worker: int) -> None:
        verb, mean = next(way, ("", 0))
        if verb:
            self.world.at(self._at_work(mean), partial(self._take_step, case_id, verb, way, worker))

    def _take_step(self, case_id: int, verb: str, way: Iterator[tuple[str, int]], worker: int) -> None:
        begins = self._visit_of(case_id) if verb in ON_SITE and case_id in self._offered else None
        if begins is not None and begins > self.world.now:
            self.world.at(begins + self.minutes(90), partial(self._take_step, case_id, verb, way, worker))
            return
        word = self._word(case_id, verb)
        case = self._tap(case_id, word, worker)
        if case is not None:  # else it was withdrawn, or its state does not allow this step
            self._follows(case_id, verb, word)
        self._next_step(case_id, way, worker)

    def _follows(self, case_id: int, verb: str, word: str) -> None:
        if word in work.IS_KIND:
            self.told[case_id].kind = work.IS_KIND[word]
        if verb == "ask" and self.chance.random() < 0.7:
            self.world.after(self.minutes(300), partial(self.give_info, case_id))
        if verb == "done":
            self._finished(case_id)

    def _word(self, case_id: int, verb: str) -> str:
        """The button of a step."""
        choices: Mapping[str, tuple[str, ...]] = {
            "hand_on": tuple(work.TO_DEPARTMENT),
            "kind": tuple(work.IS_KIND),
            "pause": tuple(work.PAUSES),
            "legacy": tuple(legacy.VERBS),
        }
        del case_id
        return self.chance.choice(choices.get(verb, (verb,)))

    def _tap(self, case_id: int, word: str, worker: int) -> Any:
        key, now = self.key("tap"), self.world.now

        def act(session: Session) -> Any:
            member = session.get_one(Staff, worker)
            if word == "note":
                return progress_notes.write(session, member, case_id, "还在处理", key=key, now=now)
            if word == "visit":
                return proposals.show(session, member, case_id, key=key, now=now)
            return work.tap(session, member, case_id, word, key=key, now=now)

        return self.world.do(act)

    def _visit_of(self, case_id: int) -> datetime | None:
        """When somebody is expected at the door."""
        if self.chance.random() < 0.1:
            return None  # they forget, and come at once
        with self.world.sessions.begin() as session:
            appointment = bookings.live(session, session.get_one(Case, case_id))
            return appointment.begins_at if appointment is not None else None

    def windows_came(self, case_id: int, parcel: Parcel, _: str) -> None:
        """A worker proposes one of the windows, as a rule."""
        self._offered.add(case_id)
        if self.chance.random() < 0.9:
            word, worker = self._window(parcel), self.chance.choice(self._workers)
            self.world.at(self._at_work(10), partial(self._propose, case_id, word, worker))

    def _window(self, parcel: Parcel) -> str:
        """One of the buttons below a choice of windows: most often a window, now and then later ones."""
        return str(self.chance.choice(parcel.payload["buttons"])["data"]).rpartition(":")[2]

    def _propose(self, case_id: int, word: str, worker: int) -> None:
        key, now = self.key("propose"), self.world.now

        def act(session: Session) -> None:
            proposals.propose(session, session.get_one(Staff, worker), case_id, word, key=key, now=now)

        self.world.do(act)

    def _finished(self, case_id: int) -> None:
        self.world.saw("cases finished")
        if self.chance.random() < 0.03:
            self.world.after(self.minutes(4_000), partial(self.write_that_it_failed, case_id))

    # --- How they take what arrives -----------------------------------------------------------------------------------

    def hear(self, parcel: Parcel) -> None:
        """Somebody reads a message; what it asks by its buttons, they may answer later."""
        buttons = parcel.payload.get("buttons")
        if parcel.act != "say" or not buttons:
            return
        prefix, number, word = str(buttons[0].get("data", "::")).split(":")
        react = REACTIONS.get(prefix)
        if react is not None and number:
            react(self, int(number), parcel, word)

    def call_back_came(self, call_back_id: int, parcel: Parcel, _: str) -> None:
        """Most answer, some only the reminder, some never."""
        if self.chance.random() < (0.55 if parcel.kind == "call_back" else 0.4):
            outcome = self._truth()
            later = round(self.chance.expovariate(1 / 240)) * MINUTE
            self.world.after(later, partial(self._answer_call_back, call_back_id, parcel.chat_id, outcome))

    def _truth(self) -> Outcome:
        return self.chance.choices((Outcome.HELD, Outcome.PARTLY, Outcome.NOT_HELD), (85, 6, 9))[0]

    def _answer_call_back(self, call_back_id: int, chat: int, outcome: Outcome) -> None:
        key, now = self.key("cb"), self.world.now

        def act(session: Session) -> CallBack:
            talk = self.talk_with(session, chat)
            call_back = session.get_one(CallBack, call_back_id)
            callbacks.answer(session, talk, call_back_id, outcome=outcome, key=key, now=now)
            return call_back

        self.writes(chat)
        self._called_back(self.world.do(act), outcome)

    def _called_back(self, call_back: CallBack | None, outcome: Outcome) -> None:
        """The story keeps its own book of what was said."""
        if call_back is None or call_back.outcome is None:
            return
        self.world.saw(f"called back: {outcome}")
        if call_back.resolution == 1:
            self.told[call_back.case_id].first = outcome
        if outcome in (Outcome.PARTLY, Outcome.NOT_HELD):
            self._reopened(call_back.case_id)

    def phone_task_came(self, call_back_id: int, _: Parcel, __: str) -> None:
        """A butler is to call."""
        self.world.at(self._at_work(200), partial(self._call, call_back_id))

    def _call(self, call_back_id: int) -> None:
        key, now, butler = self.key("tel"), self.world.now, self.chance.choice(self._butlers)
        word = self.chance.choice(CALLS)

        def act(session: Session) -> CallBack:
            phone_calls.result(session, session.get_one(Staff, butler), call_back_id, word, key=key, now=now)
            return session.get_one(CallBack, call_back_id)

        call_back = self.world.do(act)
        if call_back is not None and call_back.outcome is None:
            self.world.at(self._at_work(200), partial(self._call, call_back_id))
        self._called_back(call_back, phone_calls.RESULTS[word])

    def survey_came(self, survey_id: int, parcel: Parcel, _: str) -> None:
        """Most give stars, some after the week."""
        if self.chance.random() < 0.6:
            later = round(self.chance.expovariate(1 / (26 * 60))) * MINUTE
            self.world.after(later, partial(self._rate, survey_id, parcel.chat_id, self.chance.choice(STARS)))

    def _rate(self, survey_id: int, chat: int, stars: int, *, again: bool = False) -> None:
        key, now = self.key("rate"), self.world.now

        def act(session: Session) -> None:
            surveys.rate(session, self.talk_with(session, chat), survey_id, stars=stars, key=key, now=now)

        self.writes(chat)
        if self.world.do(act) is None:
            return
        self.world.saw("ratings")
        if not again and self.chance.random() < 0.1:
            self.world.after(
                self.minutes(2_000), partial(self._rate, survey_id, chat, self.chance.choice(STARS), again=True)
            )
        if stars <= surveys.ASK_WHY:
            self.world.after(
                self.minutes(10), partial(self._say_more, survey_id, chat, self.chance.choice(surveys.REASONS))
            )
        if self.chance.random() < 0.15:
            self.world.after(self.minutes(10), partial(self._comment, survey_id, chat))

    def _say_more(self, survey_id: int, chat: int, word: str) -> None:
        key, now = self.key("more"), self.world.now
        self.writes(chat)
        self.world.do(
            lambda session: surveys.say_more(session, self.talk_with(session, chat), survey_id, word, key=key, now=now)
        )

    def _comment(self, survey_id: int, chat: int) -> None:
        self._say_more(survey_id, chat, "comment")
        self.world.after(self.minutes(40), partial(self._write_comment, chat))

    def _write_comment(self, chat: int) -> None:
        key, now = self.key("comment"), self.world.now
        self.writes(chat)
        self.world.do(
            lambda session: surveys.take_comment(session, self.talk_with(session, chat), "师傅很细心", key=key, now=now)
        )

    def choice_came(self, case_id: int, parcel: Parcel, _: str) -> None:
        """They tap a window, or do not care."""
        self._offered.add(case_id)
        if self.chance.random() < 0.7:
            self.world.after(self.minutes(200), partial(self._choose, case_id, parcel.chat_id, self._window(parcel)))

    def _choose(self, case_id: int, chat: int, word: str) -> None:
        key, now = self.key("window"), self.world.now
        self.writes(chat)
        self.world.do(
            lambda session: appointments.choose(session, self.talk_with(session, chat), case_id, word, key=key, now=now)
        )

    def visit_came(self, appointment_id: int, parcel: Parcel, _: str) -> None:
        """A visit was agreed or proposed, or they are reminded of it; most leave it at that, some want another time."""
        words = [str(button["data"]).rpartition(":")[2] for button in parcel.payload["buttons"]]
        word = self.chance.choices(("yes", "move", "drop", None), (60, 10, 4, 26))[0]
        if word in words:
            later = partial(self._answer_visit, appointment_id, parcel.chat_id, word)
            self.world.after(self.minutes(300), later)

    def _answer_visit(self, appointment_id: int, chat: int, word: str) -> None:
        key, now = self.key("visit"), self.world.now
        self.writes(chat)

        def act(session: Session) -> None:
            appointments.answer(session, self.talk_with(session, chat), appointment_id, word, key=key, now=now)

        if self.world.do(act):
            self.world.saw(f"visits: {word}")

    def doubt_came(self, outbox_id: int, _: Parcel, __: str) -> None:
        """Staff say of a message nobody can vouch for whether it goes out again."""
        self.world.at(self._at_work(60), partial(self._decide, outbox_id, arrived=self.chance.random() < 0.5))

    def _decide(self, outbox_id: int, *, arrived: bool) -> None:
        def act(session: Session) -> None:
            delivery.decide(session, self.world.community_id, outbox_id, arrived=arrived, now=self.world.now)

        if not arrived:
            self.world.machine.watch.sent_again.add(outbox_id)
        self.world.do(act)

    # --- Butlers ------------------------------------------------------------------------------------------------------

    def ask_for_a_person(self, chat: int) -> None:
        """转人工, at any hour."""
        number, now = self.world.number(), self.world.now

        def act(session: Session) -> None:
            talk = self.talk_with(session, chat)
            self.says(session, talk, "转人工", number)
            desk.call_people(session, talk, reason="asked", source=f"turn:{number}", now=now)

        self.writes(chat)
        self.world.do(act)

    def card_came(self, conversation_id: int, _: Parcel, word: str) -> None:
        """Somebody waits for a butler."""
        if word == "claim":
            self.world.at(self._at_work(15), partial(self._claim, conversation_id, Owner.WAITING))

    def butler_steps_in(self, chat: int) -> None:
        """By themselves, while the bot answers."""
        with self.world.sessions() as session:
            talk = residents.find_conversation(session, self.world.community_id, chat)
        if talk is not None:
            self._claim(talk.id, Owner.BOT)

    def _claim(self, conversation_id: int, while_it_has: Owner) -> None:
        butler, source, now = self.chance.choice(self._butlers), self.key("claim"), self.world.now

        def act(session: Session) -> Any:
            talk = conversations.lock(session, conversation_id)
            if talk.owner is while_it_has or talk.butler_id == butler:
                return takeover.claim(session, talk, session.get_one(Staff, butler), source=source, now=now)
            return False

        self.world.claim(conversation_id, act, partial(self._talk_goes_on, conversation_id, butler, 3))

    def _talk_goes_on(self, conversation_id: int, butler: int, lines: int) -> None:
        if lines:
            act = partial(self._line_of_a_talk, conversation_id, butler, lines)
            self.world.after(self.minutes(12), act)
            return
        ending = self.chance.choices((self._hand_back, self._settle, self._hand_on, self._leave), (60, 10, 10, 20))[0]
        self.world.after(self.minutes(90), partial(ending, conversation_id, butler))

    def _line_of_a_talk(self, conversation_id: int, butler: int, lines: int) -> None:
        """One says something, the other reads it; the butler has the last word."""
        number, now = self.world.number(), self.world.now

        def act(session: Session) -> None:
            talk = conversations.lock(session, conversation_id)
            if talk.butler_id != butler:
                return
            if lines % 2 == 0:
                self.says(session, talk, "好的，什么时候能来？", number)
                return
            said = Said("text", "我马上安排", STAFF_CHAT, number, inbox_id=number)
            conversations.hear(session, talk, said, now=now, by=session.get_one(Staff, butler))
            relays.pass_on(session, talk, Bundle(STAFF_CHAT, [(number, "text")], "copy", _copy(STAFF_CHAT, number)))

        self.world.do(act)
        self._talk_goes_on(conversation_id, butler, lines - 1)

    def _hand_back(self, conversation_id: int, butler: int) -> None:
        source, now = self.key("back"), self.world.now

        def act(session: Session) -> None:
            talk = conversations.lock(session, conversation_id)
            takeover.hand_back(session, talk, session.get_one(Staff, butler), source=source, now=now)

        self.world.do(act)

    def _settle(self, conversation_id: int, _: int) -> None:
        source, now = self.key("settled"), self.world.now

        def act(session: Session) -> None:
            talk = conversations.lock(session, conversation_id)
            if talk.owner is not Owner.BOT:
                takeover.settle(session, talk, source=source, now=now)

        self.world.do(act)

    def _hand_on(self, conversation_id: int, butler: int) -> None:
        other, source, now = self.chance.choice(self._butlers), self.key("on"), self.world.now

        def act(session: Session) -> bool:
            talk = conversations.lock(session, conversation_id)
            member, to = session.get_one(Staff, butler), session.get_one(Staff, other)
            return transfer.transfer(session, talk, member, to, note="请接着谈", source=source, now=now)

        self.world.claim(conversation_id, act, partial(self._talk_goes_on, conversation_id, other, 1))

    def _leave(self, conversation_id: int, butler: int) -> None:
        """They forget to hand back; the idle sweep sees to it."""


# What a message asks, by the prefix of its buttons, and who takes it up. A new kind of follow-up has one line here.
Reaction = Callable[[People, int, Parcel, str], None]
REACTIONS: Mapping[str, Reaction] = {
    "cb": People.call_back_came,
    "s": People.survey_came,
    "tel": People.phone_task_came,
    "o": People.doubt_came,
    "c": People.card_came,
    "a": People.choice_came,
    "wv": People.windows_came,
    "v": People.visit_came,
    "ir": incidents.news_came,
}


def _copy(chat_id: int, number: int) -> dict[str, Any]:
    return {"from_chat_id": chat_id, "message_ids": [number]}
