"""Single-use links and the sessions they open."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from service import outbox, sending, sign_in, staff
from service.errors import LinkNotValid, NotAllowed, TooManyTries
from service.models.people import Role
from service.models.queues import Delivery, OutboxState
from tests.stage import BOT_ID, NOON, PLENTY, Stage

SOON = NOON + timedelta(minutes=1)


def signed_in(stage: Stage, role: Role = Role.BUTLER):
    """A member of staff and the key of their session."""
    member = stage.member(role)
    return sign_in.redeem(stage.session, sign_in.make_link(stage.session, member, now=NOON), now=NOON)


def test_a_link_signs_its_owner_in(stage):
    """Who has the link in their private chat is who they are on Telegram."""
    member, key = signed_in(stage, Role.MANAGER)

    held = sign_in.access(stage.session, key, now=SOON)

    assert held is not None
    assert (held.member, held.role, held.language) == (member, Role.MANAGER, "zh")


def test_a_link_works_once(stage):
    """Whoever finds it in a chat's history later finds nothing."""
    token = sign_in.make_link(stage.session, stage.member(), now=NOON)
    sign_in.redeem(stage.session, token, now=NOON)

    with pytest.raises(LinkNotValid):
        sign_in.redeem(stage.session, token, now=NOON)


def test_a_link_ends_after_five_minutes(stage):
    """An unused one must not lie about."""
    token = sign_in.make_link(stage.session, stage.member(), now=NOON)

    with pytest.raises(LinkNotValid):
        sign_in.redeem(stage.session, token, now=NOON + sign_in.LINK_VALID)


def test_a_new_link_ends_the_one_before(stage):
    """One key at a time."""
    member = stage.member()
    first = sign_in.make_link(stage.session, member, now=NOON)
    sign_in.make_link(stage.session, member, now=NOON)

    with pytest.raises(LinkNotValid):
        sign_in.redeem(stage.session, first, now=NOON)


def test_a_department_has_no_business_in_the_console(stage):
    """Its people work in their topic; residents' files are not theirs."""
    with pytest.raises(NotAllowed):
        sign_in.make_link(stage.session, stage.member(Role.DEPARTMENT), now=NOON)


@pytest.mark.parametrize(
    ("later", "alive"),
    [
        (sign_in.IDLE - timedelta(seconds=1), True),
        (sign_in.IDLE, False),
    ],
)
def test_a_session_ends_when_nobody_uses_it(stage, later, alive):
    """A browser left open on the counter is no door."""
    _, key = signed_in(stage)

    assert (sign_in.access(stage.session, key, now=NOON + later) is not None) is alive


def test_a_page_that_renews_itself_keeps_no_session_alive(stage):
    """An open board asks every second, also when its reader has gone home."""
    _, key = signed_in(stage)
    sign_in.access(stage.session, key, now=NOON + timedelta(hours=1), by_a_person=False)

    assert sign_in.access(stage.session, key, now=NOON + sign_in.IDLE) is None


def test_a_session_ends_after_a_shift_however_busy(stage):
    """A stolen cookie is worth hours, not weeks."""
    _, key = signed_in(stage)
    for hour in range(1, 12):
        assert sign_in.access(stage.session, key, now=NOON + timedelta(hours=hour))

    assert sign_in.access(stage.session, key, now=NOON + sign_in.LONGEST) is None


def test_another_role_means_signing_in_again(stage):
    """Rights that were taken away are gone at the next click."""
    member, key = signed_in(stage, Role.MANAGER)
    staff.appoint(member, Role.BUTLER)

    assert sign_in.access(stage.session, key, now=SOON) is None


def test_who_leaves_the_group_is_signed_out_for_good(stage):
    """Coming back makes the old sessions and links no good again."""
    member, key = signed_in(stage)
    token = sign_in.make_link(stage.session, member, now=NOON)
    staff.leave(stage.session, stage.community.id, member.user_id, now=NOON)
    staff.come_back(stage.session, stage.community.id, member.user_id)
    stage.session.expire_all()

    assert sign_in.access(stage.session, key, now=SOON) is None
    with pytest.raises(LinkNotValid):
        sign_in.redeem(stage.session, token, now=SOON)


def test_sign_out_ends_the_session(stage):
    """And not only the cookie."""
    _, key = signed_in(stage)
    sign_in.sign_out(stage.session, key, now=SOON)

    assert sign_in.access(stage.session, key, now=SOON) is None


def test_the_database_holds_no_token(stage):
    """A stolen backup opens nothing."""
    token = sign_in.make_link(stage.session, stage.member(), now=NOON)
    _, key = sign_in.redeem(stage.session, token, now=NOON)

    rows = [
        row
        for table in ("console_links", "console_sessions")
        for row in stage.session.scalars(text(f"SELECT CAST(row_ AS text) FROM {table} AS row_"))
    ]

    assert rows
    assert not any(secret in row for row in rows for secret in (token, key))


def test_a_line_that_is_a_key_is_emptied_when_it_has_been_sent(stage):
    """The outbox keeps what was said; a link is not to be found in it afterwards."""
    outbox.put(
        stage.session,
        bot_id=BOT_ID,
        community_id=stage.community.id,
        chat_id=9001,
        kind=outbox.KEY,
        act="say",
        payload={"text": "https://example.org/enter/secret"},
        delivery=Delivery.AT_LEAST_ONCE,
    )
    [parcel] = sending.take(stage.session, BOT_ID, sender=1, limit=5, rates=PLENTY)

    sending.sent(stage.session, parcel, message_id=1)

    stage.session.expire_all()
    [row] = stage.outbox(outbox.KEY)
    assert (row.state, row.payload) == (OutboxState.SENT, {})


def test_trying_links_out_is_slowed_down(stage):
    """Ten at once, then one every six seconds; other addresses are not kept waiting."""
    for _ in range(sign_in.TRIES):
        sign_in.count_try(stage.session, "192.0.2.1", now=NOON)
    with pytest.raises(TooManyTries):
        sign_in.count_try(stage.session, "192.0.2.1", now=NOON)

    sign_in.count_try(stage.session, "192.0.2.2", now=NOON)
    sign_in.count_try(stage.session, "192.0.2.1", now=NOON + sign_in.TRY_EVERY)
    sign_in.forget_tries(stage.session, "192.0.2.1")
    sign_in.count_try(stage.session, "192.0.2.1", now=NOON)

    assert "192.0.2" not in str(stage.session.execute(text("SELECT key FROM budgets")).all())
