"""What did not get through: messages in doubt, messages Telegram refuses, updates nobody could handle."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from console import texts
from console.doors import deed, page
from console.troubles import Kind, Trouble
from console.visit import Visit
from service import delivery, inbox, letters, outbox
from service.models.queues import OutboxRow, OutboxState
from service.staff import Right

BOXES = ("unconfirmed", "dead", "unread")


def search(visit: Visit) -> Response:
    """One of the three boxes."""
    box = visit.asked("box") if visit.asked("box") in BOXES else BOXES[0]
    before = visit.asked_number("before")
    if box == "unread":
        found = letters.unread(visit.session, visit.community, before=before)
        return visit.page("letters/unread.html", found=found, box=box, boxes=BOXES, excerpt=letters.excerpt)
    rows = letters.unsent(visit.session, visit.community, OutboxState(box), before=before)
    return visit.page(
        "letters/unsent.html",
        found=rows,
        box=box,
        boxes=BOXES,
        most=letters.EXCERPT,
        kind=partial(_kind, visit),
    )


def _kind(visit: Visit, letter: OutboxRow) -> str:
    """What a message is called; one that has no name yet is another message."""
    key = f"letters.kind_{letter.kind}"
    return visit.t(key if key in texts.catalogue() else "letters.kind_other")


def decide(visit: Visit) -> Response:
    """Say that a message in doubt has arrived, or have it sent again."""
    verdict = visit.said("verdict")
    if verdict not in ("arrived", "again"):
        raise Trouble(Kind.UNREADABLE)
    delivery.decide(visit.session, visit.community.id, visit.id(), arrived=verdict == "arrived", now=visit.now)
    return visit.back("/letters", told=f"letters.told_{verdict}")


def send_again(visit: Visit) -> Response:
    """Have a message sent that Telegram has refused."""
    if not outbox.revive(visit.session, visit.community.bot_id, visit.id()):
        raise Trouble(Kind.NOT_FOUND)
    return visit.back("/letters?box=dead", told="letters.told_again")


def handle_again(visit: Visit) -> Response:
    """Have an update handled again."""
    if not inbox.revive(visit.session, visit.community.bot_id, visit.id()):
        raise Trouble(Kind.NOT_FOUND)
    return visit.back("/letters?box=unread", told="letters.told_handled")


DOORS = (
    page("/letters", search, Right.CONFIRM, shows="letters"),
    deed("/letters/{id:int}/decide", decide, Right.CONFIRM, act="vouch", object="letter"),
    deed("/letters/{id:int}/send-again", send_again, Right.LETTERS, act="again", object="letter"),
    deed("/letters/{id:int}/handle-again", handle_again, Right.LETTERS, act="again", object="update"),
)
