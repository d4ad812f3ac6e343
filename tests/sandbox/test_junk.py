"""Nonsense gets a refusal, never a crash."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox import spec
from tests.sandbox.client import TOKEN, Client, Refused

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8) | st.sampled_from(["1", "[]", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "message_id", "inline_keyboard", "keyboard", "command", "media", "emoji"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
CALLS = st.sampled_from([m for m in spec.SUPPORTED if m not in ("getUpdates", "setWebhook", "leaveChat")]).flatmap(
    lambda method: st.tuples(
        st.just(method), st.dictionaries(st.sampled_from(sorted(spec.fields_of(method)) or ["x"]), VALUES, max_size=6)
    )
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(CALLS, min_size=5, max_size=15), place=st.randoms(use_true_random=False))
async def test_no_request_crashes_the_bot_api(world: Client, calls, place: random.Random):
    await world.unlimited()
    user = await world.make_user()
    await world.say(user, "x")
    group = await world.make_group(user)
    thread = await world.make_topic(group)

    for method, params in calls:
        params |= {"chat_id": place.choice([user, group]), "from_chat_id": user, "message_id": thread}
        codes = await outcome(world, method, params)
        assert codes in (200, 400, 403), (method, params)


async def outcome(world: Client, method: str, params) -> int:
    try:
        await world.bot(method, **{key: value for key, value in params.items() if key not in ("token", "method")})
    except Refused as refused:
        return refused.code
    return 200


async def test_a_body_that_is_no_json_is_refused(world: Client):
    headers = {"Content-Type": "application/json"}

    for body in (b"{", b"[]", b"\xff\xfe"):
        async with world.http.post(f"{world.base}/bot{TOKEN}/getMe", data=body, headers=headers) as answer:
            assert answer.status == 400
