"""What must hold in the end, whatever was killed: read off the look-alike's log and the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.harness import Stack
from tests.faults.people import Person

MAY_BE_DOUBLED = {"retry", "at_least_once"}


@dataclass
class Account:
    """What was found."""

    said: int = 0  # messages of residents
    sent: int = 0  # messages Telegram took from the bot
    lost: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    doubled: Counter[tuple[str, str]] = field(default_factory=Counter)  # kind, delivery
    never_arrived: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    in_hand: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)

    @property
    def doubled_though_never(self) -> list[tuple[str, str]]:
        """Kinds that arrived twice although they must not."""
        return [kind for kind in self.doubled if kind[1] not in MAY_BE_DOUBLED]

    def troubles(self) -> dict[str, Any]:
        """Everything that must be empty."""
        return {
            name: found
            for name, found in {
                "lost": self.lost,
                "silent": self.silent,
                "never arrived": self.never_arrived,
                "out of order": self.out_of_order,
                "in hand": self.in_hand,
                "dead": self.dead,
                "doubled": self.doubled_though_never,
            }.items()
            if found
        }


async def account(stack: Stack, residents: Sequence[Person], *, after_call: int = 0, after_row: int = 0) -> Account:
    """Compare what people said and were told with what the database and Telegram know.

    Args:
        stack: when everything is settled.
        residents: who took part.
        after_call: the number of the last Bot API call before it began.
        after_row: the id of the last outbox row before it began.
    """
    found = Account()
    for person in residents:
        await _heard(stack, person, found)
        _in_order(stack, person, found)
    await _delivered(stack, found, after_call=after_call, after_row=after_row)
    unconfirmed = "SELECT id FROM outbox WHERE state = 'unconfirmed' AND id > :after"
    found.in_hand = [
        *(f"inbox {row.id}" for row in stack.rows("SELECT id FROM inbox WHERE done_at IS NULL AND dead_at IS NULL")),
        *(f"outbox {row.id}" for row in stack.rows("SELECT id FROM outbox WHERE state IN ('pending', 'sending')")),
        *(f"unconfirmed {row.id}" for row in stack.rows(unconfirmed, after=after_row)),
    ]
    dead = "SELECT id, kind, reason FROM outbox WHERE state = 'dead' AND id > :after"
    found.dead = [f"{row.kind}: {row.reason}" for row in stack.rows(dead, after=after_row)]
    return found


async def _heard(stack: Stack, person: Person, found: Account) -> None:
    """Every message is kept exactly once, and was answered or reached staff."""
    kept = Counter(
        row.message_id
        for row in stack.rows(
            "SELECT message_id FROM messages WHERE chat_id = :chat AND author = 'resident'", chat=person.id
        )
    )
    for message in await person.messages():
        if message["from"]["is_bot"]:
            continue
        found.said += 1
        number, words = message["message_id"], str(message.get("text"))[:30]
        if kept[number] != 1:
            found.lost.append(f"{person.name}: {words} is kept {kept[number]} times")
        elif not _reached_somebody(stack, person.id, number):
            found.silent.append(f"{person.name}: {words}")


def _reached_somebody(stack: Stack, chat_id: int, message_id: int) -> bool:
    sql = """
        SELECT 1 FROM messages AS said JOIN inbox ON inbox.id = said.inbox_id JOIN outbox ON
          outbox.key = 'relay:' || said.conversation_id || ':' || said.chat_id || ':' || said.message_id
          OR outbox.act = 'lines' AND outbox.conversation_id = said.conversation_id
             AND outbox.payload -> 'message_ids' @> to_jsonb(said.message_id)
          OR outbox.key LIKE 'turn:' || inbox.turn_id || ':%' OR outbox.key LIKE '%:turn:' || inbox.turn_id || '%'
        WHERE said.chat_id = :chat AND said.message_id = :number
          AND (outbox.state = 'sent' OR outbox.reason = 'a butler has taken over') LIMIT 1
    """
    return stack.value(sql, chat=chat_id, number=message_id) is not None


def _in_order(stack: Stack, person: Person, found: Account) -> None:
    """Lines of one priority arrive in the order in which they were written."""
    rows = stack.rows(
        "SELECT id, priority, message_id FROM outbox WHERE chat_id = :chat AND state = 'sent' AND act <> 'edit'"
        " AND message_id IS NOT NULL ORDER BY message_id",
        chat=person.id,
    )
    for priority in {row.priority for row in rows}:
        ids = [row.id for row in rows if row.priority == priority]
        if ids != sorted(ids):
            found.out_of_order.append(f"{person.name}: {ids}")


async def _delivered(stack: Stack, found: Account, *, after_call: int, after_row: int) -> None:
    """Count what Telegram took against what was to be sent."""
    taken = Counter(_call_key(call) for call in await stack.get(f"requests?after={after_call}") if _is_message(call))
    found.sent = sum(taken.values())
    rows = stack.rows(
        "SELECT id, chat_id, kind, act, delivery, state, payload FROM outbox WHERE id > :after"
        " AND act IN ('say', 'lines', 'copy') AND state IN ('sent', 'unconfirmed')",
        after=after_row,
    )
    wanted: Counter[tuple[str, ...]] = Counter()
    kinds: dict[tuple[str, ...], tuple[str, str]] = {}
    for row in rows:
        key = _row_key(row)
        wanted[key] += 1
        kinds[key] = (row.kind, row.delivery)
    for key, times in wanted.items():
        if taken[key] > times:
            found.doubled[kinds[key]] += taken[key] - times
        elif taken[key] < times:
            found.never_arrived.append(f"{kinds[key][0]}: {key}")


def _is_message(call: dict[str, Any]) -> bool:
    return bool(call["ok"]) and call["method"] in ("sendMessage", "copyMessage")


def _call_key(call: dict[str, Any]) -> tuple[str, ...]:
    params = call["params"]
    if call["method"] == "copyMessage":
        return "copy", str(params["from_chat_id"]), str(params["message_id"])
    return "say", str(params["chat_id"]), str(params["text"])


def _row_key(row: Any) -> tuple[str, ...]:
    if row.act == "copy":
        return "copy", str(row.payload["from_chat_id"]), str(row.payload["message_ids"][0])
    return "say", str(row.chat_id), str(row.payload["text"])
