"""Conversations: who answers whom, the talk as it goes on, and answering from the browser as from Telegram."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from functools import partial

from starlette.responses import Response

from console.cases import step_name
from console.doors import deed, page
from console.files import sent
from console.troubles import Kind, Trouble, status_of
from console.visit import Visit
from service import conversations, files, phrases, staff, takeover, talks, transcripts, transfer, typed_lines
from service.errors import ServiceError
from service.models.talks import Conversation, Owner
from service.staff import Right
from service.talks import Wanted

MINE = "mine"  # beside the owners: those whom the visitor has
FOUND = 50  # lines of one page of a search
ONCE = re.compile(r"[\w-]{8,32}", re.ASCII)


def search(visit: Visit) -> Response:
    """The conversations by who answers, or the lines that hold certain words."""
    who = visit.asked("owner")
    if visit.asked("q"):
        return _lines(visit)
    wanted = Wanted(
        owner=Owner(who) if who in tuple(Owner) else None,
        butler=visit.member.id if who == MINE else None,
    )
    found = talks.find(visit.session, visit.community.id, wanted, before=visit.asked("before"))
    return visit.page("talks/search.html", found=found, asked=_asked(visit), owners=_owners(visit))


def _lines(visit: Visit) -> Response:
    words, before = visit.asked("q")[:200], visit.asked_number("before")
    found = transcripts.search(visit.session, visit.community.id, words, limit=FOUND + 1, before=before)
    more = found[FOUND - 1].line if len(found) > FOUND else None
    return visit.page(
        "talks/lines.html",
        found=found[:FOUND],
        more=more,
        file_name=files.name,
        asked=_asked(visit),
    )


def _asked(visit: Visit) -> Mapping[str, str]:
    return {name: visit.asked(name) for name in ("q", "owner")}


def _owners(visit: Visit) -> list[tuple[str, str]]:
    return [(MINE, visit.t("talks.mine")), *((owner, visit.t(f"talks.owner_{owner}")) for owner in Owner)]


def show(visit: Visit) -> Response:
    """The talk, and what can be said or done in it."""
    talk = talks.one(visit.session, visit.community.id, visit.id())
    if talk is None:
        raise Trouble(Kind.NOT_FOUND)
    return _show(visit, talk)


def _show(visit: Visit, talk: Conversation, *, words: str = "", refused: ServiceError | None = None) -> Response:
    """The page; with what was typed and why it did not go out, when it did not."""
    session, community = visit.session, visit.community
    butler, lines = talk.butler_id, transcripts.latest(session, talk, before=visit.asked_number("before"))
    colleagues = [one for one in staff.present(session, community.id) if staff.may(one, Right.TALK)]
    return visit.page(
        "talks/talk.html",
        status=status_of(refused) if refused else 200,
        talk=talk,
        resident=talk.resident,
        butler=next((one for one in colleagues if one.id == butler), None),
        handover=talks.last_handover(session, talk),
        lines=lines,
        phrases=phrases.ready(session, talk, visit.member),
        targets=[
            *((str(one.number), f"{one.number} {one.display_name}") for one in colleagues if one.id != butler),
            *((key, visit.t(f"utter_word_{key}")) for key in talks.departments(session, community.id)),
        ],
        once=secrets.token_urlsafe(12),
        words=words,
        refused=visit.t(refused.response, **refused.facts) if refused else None,
        most=typed_lines.MOST_TEXT,
        sent=sent(visit, {line.row: line.media for line in lines.rows if line.row is not None}),
        step_name=partial(step_name, visit),
    )


# --- What is done; everything locks the conversation first ----------------------------------------------------------


def say(visit: Visit) -> Response:
    """Say something to the resident; whoever types takes over, as in the topic."""
    return _write(visit, typed_lines.say, "talks.said")


def note(visit: Visit) -> Response:
    """Write something for colleagues."""
    return _write(visit, typed_lines.note, "talks.noted")


def _write(visit: Visit, write: Callable[..., object], told: str) -> Response:
    """What does not go out comes back with the reason: nobody types it twice."""
    talk, words = _locked(visit), visit.said("words")
    if not words:
        return visit.back(_address(talk), told="talks.nothing_typed")
    if len(words) > typed_lines.MOST_TEXT:
        raise Trouble(Kind.TOO_LARGE)
    try:
        write(visit.session, talk, visit.member, words, key=_once(visit), now=visit.now)
    except ServiceError as refused:
        return _show(visit, talk, words=words, refused=refused)
    return visit.back(_address(talk), told=told)


def say_phrase(visit: Visit) -> Response:
    """Say a canned phrase."""
    talk = _locked(visit)
    typed_lines.say_phrase(visit.session, talk, visit.member, visit.said("phrase"), key=_once(visit), now=visit.now)
    return visit.back(_address(talk), told="talks.said")


def claim(visit: Visit) -> Response:
    """Take the resident over."""
    talk = _as_seen(visit)
    takeover.claim(visit.session, talk, visit.member, source=_source(talk), now=visit.now)
    return visit.back(_address(talk), told="talks.claimed")


def hand_back(visit: Visit) -> Response:
    """Let the assistant answer again."""
    talk = _as_seen(visit)
    takeover.hand_back(visit.session, talk, visit.member, source=_source(talk), now=visit.now)
    return visit.back(_address(talk), told="talks.handed_back")


def hand_on(visit: Visit) -> Response:
    """Hand the resident on to a colleague or a department."""
    talk = _as_seen(visit)
    to = transfer.find_target(visit.session, visit.community.id, visit.said("to"))
    note, source = visit.said("note"), _source(talk)
    transfer.transfer(visit.session, talk, visit.member, to, note=note, source=source, now=visit.now)
    return visit.back(_address(talk), told="talks.handed_on")


def _locked(visit: Visit) -> Conversation:
    return conversations.access_as_staff(visit.session, visit.member, visit.id())


def _as_seen(visit: Visit) -> Conversation:
    """The conversation, if the same one answers in it as on the page that was looked at."""
    talk = _locked(visit)
    visit.check_version(talk.epoch)
    return talk


def _source(talk: Conversation) -> str:
    """Names a change of owner: there is one out of each epoch."""
    return f"console:{talk.id}:{talk.epoch}"


def _once(visit: Visit) -> str:
    """Names a form that was shown, so that sending it twice says it once."""
    once = visit.said("once")
    return f"console:{visit.id()}:{visit.member.id}:{once if ONCE.fullmatch(once) else secrets.token_urlsafe(12)}"


def _address(talk: Conversation) -> str:
    return f"/talks/{talk.id}"


DOORS = (
    page("/talks", search, Right.RECORDS, shows="talks"),
    page("/talks/{id:int}", show, Right.RECORDS, shows="talk"),
    deed("/talks/{id:int}/say", say, Right.TALK, act="say", object="talk"),
    deed("/talks/{id:int}/note", note, Right.TALK, act="note", object="talk"),
    deed("/talks/{id:int}/phrase", say_phrase, Right.TALK, act="say", object="talk"),
    deed("/talks/{id:int}/claim", claim, Right.TALK, act="claim", object="talk"),
    deed("/talks/{id:int}/hand-back", hand_back, Right.TALK, act="hand_back", object="talk"),
    deed("/talks/{id:int}/hand-on", hand_on, Right.TALK, act="hand_on", object="talk"),
)
