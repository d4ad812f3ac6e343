"""Bind a Telegram account to a member of a household: by invitation, by their own number, or by a yes of staff.

Whoever proves something is offered who they may be, and says yes themselves: that yes is their consent, and so is the
wish of whoever asks staff. Nobody learns
whether another person or number stands in the archive: what does not fit is answered in one and the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from service import archive, communities, conversations, invitations, outbox, phones, residents, texts, where
from service.communities import STAFF_LANGUAGE
from service.errors import ButtonExpired, InvitationNotValid
from service.models.archive import BindingOffer, BindingRequest, Household, Invitation, Member, RequestState
from service.models.cases import Case
from service.models.people import Resident, Staff
from service.models.queues import Delivery, Priority
from service.models.talks import Conversation
from service.texts import Button, Line

OFFERED_FOR = timedelta(hours=1)
MOST_NAMES = 8  # buttons of one offer
MOST_WORDS = 200  # characters of what somebody says of themselves
MOST_REQUESTS = 3  # of one account within a day; staff have other things to do too


def redeem(session: Session, conversation: Conversation, token: str, *, now: datetime) -> Line:
    """Somebody opened an invitation: ask which member of the household they are.

    Raises:
        InvitationNotValid: unknown, used, revoked or expired; the answer is the same.
    """
    resident = conversation.resident
    invitation = invitations.find(session, conversation.community_id, token)
    bound = archive.member_of(session, resident)
    if invitation is not None and bound is not None and bound.household_id == invitation.household_id:
        return _already(resident, bound)
    refused = invitations.why_not(invitation, now=now)
    if invitation is None or refused:
        archive.log(session, resident, "invitation_refused", actor="resident", now=now, why=refused)
        return _not_valid(resident)
    who = archive.members(session, invitation.household_id, day=_today(session, conversation, now))
    _keep_offer(session, resident, "invitation", invitation.household_id, now=now, invitation_id=invitation.id)
    return _ask_who(resident, session.get_one(Household, invitation.household_id), who)


def share_phone(session: Session, conversation: Conversation, number: str, *, now: datetime) -> Line:
    """Somebody shared their own number, which Telegram vouches for: ask whether they are whose number it is."""
    resident, day = conversation.resident, _today(session, conversation, now)
    normal = phones.normalise(number)
    member = archive.by_phone(session, conversation.community_id, normal, day=day) if normal else None
    if member is None:
        archive.log(session, resident, "phone_not_matched", actor="resident", now=now)
        return texts.say("utter_bind_phone_not_matched", language=resident.language)
    if resident.member_id == member.id:
        return _already(resident, member)
    _keep_offer(session, resident, "phone", member.household_id, now=now, member_id=member.id)
    return _ask_who(resident, member.household, [member])


def accept(session: Session, conversation: Conversation, member_id: int, *, key: str, now: datetime) -> Line:
    """They said which one they are, or (0) that they are none of them.

    Raises:
        ButtonExpired: nothing of the kind was offered, or too long ago.
        InvitationNotValid: somebody else was faster, or it was revoked meanwhile.
    """
    resident = conversation.resident
    bound = archive.member_of(session, resident)
    if bound is not None and bound.id == member_id:
        return _already(resident, bound)
    offer = session.get(BindingOffer, resident.id, with_for_update=True, populate_existing=True)
    if offer is None or offer.until <= now:
        raise ButtonExpired
    if member_id == 0:
        session.delete(offer)
        return texts.say("utter_bind_how", language=resident.language)
    member = _offered(session, offer, member_id, day=_today(session, conversation, now))
    _use_up(session, offer, resident, now=now)
    archive.bind(session, resident, member, how=offer.how, actor="resident", now=now)
    session.delete(offer)
    _warn_others(session, member, resident, key=key, now=now)
    return _welcome(resident, member)


def _offered(session: Session, offer: BindingOffer, member_id: int, *, day: date) -> Member:
    """The member they named, if it is one of those who were offered."""
    living = archive.members(session, offer.household_id, day=day)
    member = next((one for one in living if one.id == member_id), None)
    if member is None or offer.member_id not in (None, member_id):
        raise ButtonExpired
    return member


def _use_up(session: Session, offer: BindingOffer, resident: Resident, *, now: datetime) -> None:
    if offer.invitation_id is None:
        return
    invitation = session.get_one(Invitation, offer.invitation_id, with_for_update=True, populate_existing=True)
    if invitations.why_not(invitation, now=now):
        raise InvitationNotValid
    invitation.used_at, invitation.used_by_id = now, resident.id


def ask_staff(session: Session, conversation: Conversation, words: str, *, key: str, now: datetime) -> Line:
    """Somebody says who they are: staff see it beside the roster and decide; the answer never says what it holds."""
    resident, language = conversation.resident, conversation.resident.language
    said = " ".join(words.split())[:MOST_WORDS]
    if not said:
        return texts.say("utter_bind_how", language=language)
    if _asked_enough(session, resident, now=now):
        return texts.say("utter_bind_asked_before", language=language)
    household, member = _meant(session, conversation, said, now=now)
    request = BindingRequest(
        community_id=conversation.community_id,
        resident_id=resident.id,
        household_id=household.id if household else None,
        member_id=member.id if member else None,
        words=said,
        state=RequestState.OPEN,
        asked_at=now,
    )
    session.add(request)
    session.flush()
    archive.log(session, resident, "asked_to_be_bound", actor="resident", now=now, member=member)
    sheet = _request_sheet(request, resident, household, member)
    conversations.alert_staff(
        session, conversation.community_id, sheet, key=_request_key(request), priority=Priority.WORK_ORDER
    )
    return texts.say("utter_bind_asked", language=language, seed=key)


def decide(session: Session, staff: Staff, request_id: int, *, approved: bool, key: str, now: datetime) -> None:
    """Staff compared it and decided; the resident is told, and the request loses its buttons.

    Raises:
        ButtonExpired: it is decided already, another community's, or the person has moved out.
    """
    request = session.get(BindingRequest, request_id)
    if request is None or request.community_id != staff.community_id:
        raise ButtonExpired
    conversation = _conversation_of(session, request.resident_id, lock=True)
    session.refresh(request, with_for_update=True)
    member = session.get(Member, request.member_id) if request.member_id else None
    day = _today(session, conversation, now)
    if request.state is not RequestState.OPEN or (approved and not (member and archive.lives_there(member, day))):
        raise ButtonExpired
    request.state = RequestState.APPROVED if approved else RequestState.DECLINED
    request.decided_at, request.decided_by_id = now, staff.id
    actor = f"staff:{staff.number}"
    if approved and member is not None:
        asked_at = request.asked_at
        archive.bind(session, conversation.resident, member, how="staff", actor=actor, now=now, asked_at=asked_at)
        _warn_others(session, member, conversation.resident, key=key, now=now)
        line = _welcome(conversation.resident, member)
    else:
        archive.log(session, conversation.resident, "declined", actor=actor, now=now, member=member)
        line = texts.say("utter_bind_declined", language=conversation.resident.language)
    conversations.tell(session, conversation, line, key=f"{key}:decided", now=now)
    _show_decision(session, request, conversation, staff)


def hint(session: Session, conversation: Conversation, *, now: datetime) -> Line | None:
    """What binding gives, with the key that shares one's number: once, after a first case, where an archive is."""
    resident = conversation.resident
    if resident.member_id is not None or resident.binding_told_at is not None:
        return None
    archive_is_filled = exists().where(Member.community_id == conversation.community_id)
    has_brought_a_case = exists().where(Case.resident_id == resident.id)
    if not session.scalar(select(archive_is_filled & has_brought_a_case)):
        return None
    resident.binding_told_at = now
    return with_contact_key(texts.say("utter_binding_hint", language=resident.language), resident.language)


def with_contact_key(line: Line, language: str) -> Line:
    """The line with the key that shares one's number, above the usual ones."""
    key = texts.words("utter_word_share_phone", language=language)
    return replace(line, contact_key=key, menu=texts.say("utter_help", language=language).menu)


def let_go_of_moved_out(session: Session, conversation: Conversation, *, now: datetime) -> None:
    """The day of moving out has come since the account was bound."""
    member = archive.member_of(session, conversation.resident)
    if member is not None and not archive.lives_there(member, _today(session, conversation, now)):
        let_go(session, conversation.resident, actor="bot", now=now)


def let_go(session: Session, resident: Resident, *, actor: str, now: datetime) -> None:
    """The person an account was bound to has moved out: the account is told, once, and may go on asking."""
    archive.unbind(session, resident, why="moved_out", actor=actor, now=now)
    line = texts.say("utter_moved_out", language=resident.language)
    key = f"moved_out:{resident.id}:{now.isoformat()}"
    conversations.tell(session, _conversation_of(session, resident.id), line, key=key, now=now)


def _today(session: Session, conversation: Conversation, now: datetime) -> date:
    return archive.today(session, conversation.community_id, now=now)


def _keep_offer(
    session: Session,
    resident: Resident,
    how: str,
    household_id: int,
    *,
    now: datetime,
    member_id: int | None = None,
    invitation_id: int | None = None,
) -> None:
    """The last thing an account has proved replaces what it proved before."""
    offer = session.get(BindingOffer, resident.id, with_for_update=True) or BindingOffer(resident_id=resident.id)
    offer.how, offer.household_id, offer.until = how, household_id, now + OFFERED_FOR
    offer.member_id, offer.invitation_id = member_id, invitation_id
    session.add(offer)
    session.flush()


def _ask_who(resident: Resident, household: Household, who: Sequence[Member]) -> Line:
    """The household, its people by their titles, and what a yes means."""
    language = resident.language
    line = texts.say("utter_bind_who", language=language, place=archive.place(household, language))
    named = zip(_told_apart(who, language), who, strict=True)
    buttons = [Button(name, f"b:{member.id}:yes") for name, member in islice(named, MOST_NAMES)]
    nobody = Button(texts.words("utter_word_none_of_these", language=language), "b:0:none")
    return replace(line, buttons=(*buttons, nobody))


def _told_apart(who: Sequence[Member], language: str) -> list[str]:
    """How members are called on buttons: by as little as tells them apart, the paper may lie in a wrong letter box."""
    names: list[str] = []
    for form in (_title, _title_and_role, _whole_name):
        names = [form(member, language) for member in who]
        if len(set(names)) == len(names):
            break
    return names


def _title(member: Member, language: str) -> str:
    honorific = texts.words(f"utter_word_{member.honorific or 'dear'}", language=language)
    called = texts.words("utter_word_salutation", language=language, surname=member.surname, honorific=honorific)
    return called.strip("，, ")


def _title_and_role(member: Member, language: str) -> str:
    role = texts.words(f"utter_word_role_{member.role}", language=language)
    return texts.words("utter_word_title_and_role", language=language, title=_title(member, language), role=role)


def _whole_name(member: Member, _: str) -> str:
    return member.name


def _already(resident: Resident, member: Member) -> Line:
    place = archive.place(member.household, resident.language)
    return texts.say("utter_bound_already", language=resident.language, place=place)


def _not_valid(resident: Resident) -> Line:
    return with_contact_key(texts.say(InvitationNotValid.response, language=resident.language), resident.language)


def _welcome(resident: Resident, member: Member) -> Line:
    return texts.say(
        "utter_bound",
        language=resident.language,
        salutation=residents.salutation(resident),
        place=archive.place(member.household, resident.language),
    )


def _warn_others(session: Session, member: Member, newcomer: Resident, *, key: str, now: datetime) -> None:
    """Whoever spoke for this member before hears that another account does now too."""
    for account in archive.accounts(session, member):
        if account.id != newcomer.id:
            line = texts.say("utter_bound_elsewhere", language=account.language)
            other = _conversation_of(session, account.id)
            conversations.tell(session, other, line, key=f"{key}:elsewhere:{account.id}", now=now)


def _conversation_of(session: Session, resident_id: int, *, lock: bool = False) -> Conversation:
    found = select(Conversation).where(Conversation.resident_id == resident_id)
    if lock:
        found = found.with_for_update(of=Conversation).execution_options(populate_existing=True)
    return session.scalars(found).one()


def _asked_enough(session: Session, resident: Resident, *, now: datetime) -> bool:
    """Whether a request is open, or there were too many within a day."""
    asked = select(func.count(), func.count().filter(BindingRequest.state == RequestState.OPEN)).where(
        BindingRequest.resident_id == resident.id, BindingRequest.asked_at > now - timedelta(days=1)
    )
    lately, still_open = session.execute(asked).one()
    return bool(still_open) or lately >= MOST_REQUESTS


def _meant(
    session: Session, conversation: Conversation, said: str, *, now: datetime
) -> tuple[Household | None, Member | None]:
    """The household and the member somebody seems to be, by what they said."""
    household = archive.find_household(session, conversation.community_id, where.parse(said))
    if household is None:
        return None, None
    living = archive.members(session, household.id, day=_today(session, conversation, now))
    return household, next((one for one in living if one.name.casefold() in said.casefold()), None)


def _request_key(request: BindingRequest) -> str:
    return f"binding:{request.id}"


def _request_sheet(
    request: BindingRequest, resident: Resident, household: Household | None, member: Member | None
) -> Line:
    """What staff read: what was said, and what the roster says."""
    found = "member" if member else "household" if household else "nothing"
    return texts.say(
        "utter_staff_bind_request" if member else "utter_staff_bind_request_unmatched",
        language=STAFF_LANGUAGE,
        name=resident.display_name,
        words=request.words,
        found=texts.words(
            f"utter_word_roster_has_{found}",
            language=STAFF_LANGUAGE,
            place=archive.place(household, STAFF_LANGUAGE) if household else None,
            name=member.name if member else None,
        ),
        request_id=request.id,
    )


def _show_decision(session: Session, request: BindingRequest, conversation: Conversation, staff: Staff) -> None:
    """The request in the staff group says how it ended."""
    group = communities.staff_group(session, request.community_id)
    sheet = outbox.find(session, key=_request_key(request))
    if group is None or sheet is None:
        return
    line = texts.say(
        f"utter_staff_bind_{request.state}",
        language=STAFF_LANGUAGE,
        name=conversation.resident.display_name,
        words=request.words,
        number=staff.number,
    )
    outbox.put(
        session,
        **group,
        kind="card",
        act="edit",
        payload=line.payload(),
        edits_id=sheet,
        priority=Priority.CARD,
        delivery=Delivery.RETRY,
        key=f"{_request_key(request)}:decided",
    )
