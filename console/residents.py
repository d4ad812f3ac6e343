"""Residents and households: looked up, read, and what is kept of somebody given out or deleted at their wish."""

from __future__ import annotations

from starlette.responses import Response

from console.doors import deed, page
from console.troubles import Kind, Trouble
from console.visit import Visit
from service import archive, archive_search, conversations, forgetting, ledger, own_data, residents
from service.models.archive import Fee, ParkingSpace, VisitorCode
from service.models.talks import Conversation
from service.staff import Right

HOUSEHOLDS = "households"


def search(visit: Visit) -> Response:
    """Accounts, or households."""
    words, before = visit.asked("q")[:200], visit.asked_number("before")
    if visit.asked("list") == HOUSEHOLDS:
        doors = archive_search.households(visit.session, visit.community.id, words, before=before)
        places = {door.id: archive.place(door, residents.HOME_LANGUAGE) for door in doors.rows}
        return visit.page("residents/households.html", found=doors, places=places, words=words)
    found = archive_search.residents(visit.session, visit.community.id, words, before=before)
    return visit.page("residents/search.html", found=found, words=words)


def household(visit: Visit) -> Response:
    """Who lives behind a door."""
    day = archive.today(visit.session, visit.community.id, now=visit.now)
    door = archive_search.door(visit.session, visit.community.id, visit.id(), day=day)
    if door is None:
        raise Trouble(Kind.NOT_FOUND)
    bound: dict[int | None, list[object]] = {}
    for account in door.accounts:
        bound.setdefault(account.member_id, []).append(account)
    place = archive.place(door.household, residents.HOME_LANGUAGE)
    held = {
        table.__tablename__: ledger.entries(visit.session, table, door.household.id)
        for table in (Fee, ParkingSpace, VisitorCode)
    }
    return visit.page("residents/household.html", door=door, bound=bound, place=place, day=day, held=held)


def show(visit: Visit) -> Response:
    """What is known of a resident, and where to go from there."""
    talk = _talk(visit)
    return visit.page(
        "residents/resident.html",
        talk=talk,
        resident=talk.resident,
        member=archive.member_of(visit.session, talk.resident),
        is_forgotten=_is_forgotten(talk),
    )


def export(visit: Visit) -> Response:
    """Everything that is kept of them, as the file the bot sends them; only the codes of visitors are left out."""
    talk = _talk(visit)
    resident, actor = talk.resident, f"staff:{visit.member.number}"
    member = archive.member_of(visit.session, resident)
    archive.log(visit.session, resident, "exported", actor=actor, member=member, now=visit.now)
    content = own_data.as_file(visit.session, talk, codes=False, now=visit.now)
    headers = {"Content-Disposition": f'attachment; filename="guanjia-resident-{resident.id}.json"'}
    return Response(content, media_type="application/json", headers=headers)


def forget(visit: Visit) -> Response:
    """Have them forgotten, when whoever asks for it has confirmed it and nothing has to end first."""
    talk = _talk(visit)
    talk = conversations.access_as_staff(visit.session, visit.member, talk.id)
    address = f"/residents/{talk.resident_id}"
    if visit.said("sure") != "yes":
        return visit.back(address, told="residents.forget_not_sure")
    if _is_forgotten(talk):
        return visit.back(address, told="residents.forgotten")
    if forgetting.why_not_now(visit.session, talk) is not None:
        return visit.back(address, told="residents.forget_not_now")
    forgetting.order(visit.session, talk)
    return visit.back(address, told="residents.forget_ordered")


def _talk(visit: Visit) -> Conversation:
    talk = archive_search.talk_of(visit.session, visit.community.id, visit.id())
    if talk is None:
        raise Trouble(Kind.NOT_FOUND)
    return talk


def _is_forgotten(talk: Conversation) -> bool:
    return talk.resident.chat_id < 0


DOORS = (
    page("/residents", search, Right.RECORDS, shows="residents"),
    page("/residents/{id:int}", show, Right.RECORDS, shows="resident"),
    page("/households/{id:int}", household, Right.RECORDS, shows="household"),
    deed("/residents/{id:int}/export", export, Right.PRIVACY, act="export", object="resident"),
    deed("/residents/{id:int}/forget", forget, Right.PRIVACY, act="forget", object="resident"),
)
