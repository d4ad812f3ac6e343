"""What staff can do by a command: about a resident in their topic, or about themselves anywhere in the group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram import Message

from bot.handlers import notes, undo
from service import (
    conversations,
    duty,
    incident_words,
    incidents,
    outbox,
    phrases,
    private_talks,
    sign_in,
    staff,
    takeover,
    texts,
    transfer,
)
from service.communities import STAFF_LANGUAGE
from service.models.communities import Department, TalksIn
from service.models.people import Duty, Role, Staff
from service.models.talks import Conversation, Owner
from service.staff import Right

if TYPE_CHECKING:
    from bot.handlers.route import Scene

NOTHING = "none"
DUTIES: Mapping[str, Duty | None] = {"on": Duty.ON, "off": Duty.OFF, "roster": None}


@dataclass(frozen=True)
class Order:
    """A command, who gave it, where, and what was said behind it."""

    scene: Scene
    message: Message
    member: Staff
    words: str

    def answer(self, phrase: str, **slots: object) -> None:
        """Answer where the command was given."""
        notes.answer(self.scene, self.message, phrase, **slots)

    def split(self, parts: int) -> list[str]:
        """The first words, and the rest as the last part; fewer when less was said."""
        return self.words.split(maxsplit=parts - 1)


# --- About a resident, in their topic -------------------------------------------------------------------------------


def _claim(order: Order, talk: Conversation) -> None:
    takeover.claim(order.scene.session, talk, order.member, source=order.scene.key, now=order.scene.now)


def _done(order: Order, talk: Conversation) -> None:
    takeover.hand_back(order.scene.session, talk, order.member, source=order.scene.key, now=order.scene.now)


def _transfer(order: Order, talk: Conversation) -> None:
    whom, *note = order.split(2) or [""]
    if not whom:
        order.answer("utter_staff_transfer_usage")
        return
    scene = order.scene
    target = transfer.find_target(scene.session, scene.community.id, whom)
    transfer.transfer(scene.session, talk, order.member, target, note="".join(note), source=scene.key, now=scene.now)


def _say(order: Order, talk: Conversation) -> None:
    scene, name = order.scene, order.words.strip()
    if not name:
        names = ", ".join(phrases.names(scene.session, scene.community.id))
        order.answer("utter_staff_say_usage", names=names)
        return
    send_phrase(order, talk, name, key=f"{scene.key}:say")


def send_phrase(order: Order, talk: Conversation, name: str, *, key: str) -> None:
    """Take the resident over, as typing does, and say a canned phrase; staff read what was said."""
    scene, where = order.scene, order.message.chat_id
    ready = phrases.fill(scene.session, talk, order.member, name)
    takeover.claim(scene.session, talk, order.member, source=scene.key, now=scene.now)
    if not phrases.send(scene.session, talk, ready, order.member, where=where, key=key, now=scene.now):
        order.answer("utter_staff_phrase_sent_before", name=name)


def _undo(order: Order, talk: Conversation) -> None:
    undo.by_command(order.scene, talk, order.member, order.message)


IN_TOPICS: Mapping[str, Callable[[Order, Conversation], None]] = {
    "/claim": _claim,
    "/done": _done,
    "/transfer": _transfer,
    "/say": _say,
    **dict.fromkeys(undo.COMMANDS, _undo),
}

# --- About their own residents --------------------------------------------------------------------------------------


def show_talks(order: Order, phrase: str = "utter_staff_private_talks") -> None:
    """The switch keyboard: a key for each resident the member has; in a topic there is nothing to switch."""
    session = order.scene.session
    talks = private_talks.talks_of(session, order.member)
    if not talks:
        order.member.talks_with_id = None
        order.answer("utter_staff_private_none")
        return
    named = [(talk, conversations.topic_name(talk.resident)) for talk in talks]
    if order.scene.community.talks_in is TalksIn.GROUP:
        order.answer("utter_staff_talks", names="\n".join(name for _, name in named))
        return
    keys = private_talks.choices(named, active=order.member.talks_with_id)
    line = texts.say(phrase, language=STAFF_LANGUAGE)
    notes.say(order.scene, order.message, texts.Line(line.text, buttons=keys), name=phrase)


def ask_whom(order: Order) -> None:
    """A line that nobody is meant by goes nowhere: the talk is over, or none was chosen."""
    order.answer("utter_staff_private_not_sent")
    show_talks(order)


def take_next(order: Order) -> None:
    """Take over whoever is first in line, without looking for their card; who was taken meanwhile is passed over."""
    scene = order.scene
    while (talk_id := private_talks.next_waiting(scene.session, order.member)) is not None:
        talk = conversations.lock(scene.session, talk_id)
        if talk.owner is Owner.WAITING:
            takeover.claim(scene.session, talk, order.member, source=scene.key, now=scene.now)
            return
    order.answer("utter_staff_private_nobody_waits")


# --- Anywhere in the group ------------------------------------------------------------------------------------------


def _duty(order: Order) -> None:
    word, scene = order.words.strip().lower(), order.scene
    if not word:
        present = duty.on_duty(scene.session, scene.community, now=scene.now)
        order.answer("utter_staff_duty", names=", ".join(f"{one.number} {one.display_name}" for one in present))
    elif word in DUTIES:
        duty.say(order.member, DUTIES[word])
        said = texts.words(f"utter_word_duty_{word}", language=STAFF_LANGUAGE)
        order.answer("utter_staff_duty_said", number=order.member.number, duty=said)
    else:
        order.answer("utter_staff_duty_usage")


def _shift(order: Order) -> None:
    number, *rest = order.split(2) or [""]
    if not number.isdecimal() or len(number) > 9 or not rest:
        order.answer("utter_staff_shift_usage")
        return
    scene = order.scene
    member = staff.by_number(scene.session, scene.community.id, int(number))
    hours = None if rest[0].lower() == NOTHING else duty.read_hours(rest[0])
    duty.plan(scene.session, member, hours, by=order.member)
    order.answer("utter_staff_shift_kept", number=member.number)


def _role(order: Order) -> None:
    number, *rest = order.split(2) or [""]
    if not number.isdecimal() or len(number) > 9 or not rest:
        order.answer("utter_staff_role_usage")
        return
    scene, word = order.scene, rest[0].strip().lower()
    staff.check(order.member, Right.ROLES)
    member = staff.by_number(scene.session, scene.community.id, int(number))
    if word in {Role.BUTLER, Role.SUPERVISOR, Role.MANAGER}:
        staff.give_role(member, Role(word), by=order.member)
        role = texts.words(f"utter_word_role_{word}", language=STAFF_LANGUAGE)
    else:
        department = transfer.find_target(scene.session, scene.community.id, word)
        if not isinstance(department, Department):
            order.answer("utter_staff_role_usage")
            return
        staff.give_role(member, Role.DEPARTMENT, by=order.member, department_id=department.id)
        role = texts.words(f"utter_word_{department.key}", language=STAFF_LANGUAGE)
    order.answer("utter_staff_role_given", number=member.number, role=role)


def _languages(order: Order) -> None:
    spoken = order.words.lower().replace(",", " ").split()
    if not spoken or not set(spoken) <= set(texts.LANGUAGES):
        order.answer("utter_staff_languages_usage")
        return
    order.member.languages = sorted(set(spoken))
    order.answer("utter_staff_languages_kept", number=order.member.number, languages=", ".join(order.member.languages))


def _staff(order: Order) -> None:
    scene = order.scene
    present = {one.id for one in duty.on_duty(scene.session, scene.community, now=scene.now)}
    lines = [
        " · ".join(
            (
                f"{one.number} {one.display_name}",
                texts.words(f"utter_word_role_{one.role}", language=STAFF_LANGUAGE),
                texts.words(f"utter_word_duty_{'on' if one.id in present else 'off'}", language=STAFF_LANGUAGE),
                *(one.languages or ()),
            )
        )
        for one in staff.present(scene.session, scene.community.id)
    ]
    order.answer("utter_staff_list", lines="\n".join(lines))


def _phrase(order: Order) -> None:
    name, *rest = order.split(3) or [""]
    session = order.scene.session
    if rest[:1] == [NOTHING]:
        phrases.forget(session, order.member, name)
        order.answer("utter_staff_phrase_forgotten", name=name)
    elif len(rest) == 2 and rest[0] in texts.LANGUAGES:
        phrases.word(session, order.member, name, rest[1], language=rest[0])
        order.answer("utter_staff_phrase_kept", name=name)
    else:
        order.answer("utter_staff_phrases", names=", ".join(phrases.names(session, order.scene.community.id)))


def _incident(order: Order) -> None:
    """Make an incident known; without words, show those that are open."""
    scene = order.scene
    staff.check(order.member, Right.INCIDENTS)
    if order.words.strip():
        entry = incident_words.read(order.words, now=scene.now, timezone=scene.community.timezone)
        by = f"staff:{order.member.number}"
        incident = incidents.enter(scene.session, scene.community, entry, by=by, source=scene.key, now=scene.now)
        shown = [incident]
        if count := incidents.hear_soon(scene.session, incident):
            order.answer("utter_staff_incident_moved", count=count)
    else:
        shown = list(incidents.open_ones(scene.session, scene.community.id))
    for incident in shown:
        line = incidents.card(scene.session, incident, now=scene.now)
        notes.say(scene, order.message, line, name=f"incident:{incident.id}")
    if not shown:
        order.answer("utter_staff_incident_usage")


def _console(order: Order) -> None:
    """The key goes to their private chat, never to the group."""
    scene = order.scene
    send_console_link(scene, order.member)
    order.answer("utter_staff_console_sent")


def send_console_link(scene: Scene, member: Staff) -> None:
    """Write a link that signs the member in to the console into their private chat."""
    token = sign_in.make_link(scene.session, member, now=scene.now)
    line = texts.say(
        "utter_staff_console_link",
        language=STAFF_LANGUAGE,
        url=sign_in.address(scene.community, token),
        minutes=int(sign_in.LINK_VALID.total_seconds()) // 60,
    )
    outbox.put(
        scene.session,
        bot_id=scene.community.bot_id,
        community_id=scene.community.id,
        chat_id=member.user_id,
        kind=outbox.KEY,
        act="say",
        payload=line.payload(),
        key=f"{scene.key}:console",
    )


ANYWHERE: Mapping[str, Callable[[Order], None]] = {
    "/incident": _incident,
    "/talks": show_talks,
    "/next": take_next,
    "/duty": _duty,
    "/shift": _shift,
    "/role": _role,
    "/languages": _languages,
    "/staff": _staff,
    "/phrase": _phrase,
    "/console": _console,
}

COMMANDS = (*IN_TOPICS, *ANYWHERE)
