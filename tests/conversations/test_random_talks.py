"""Residents who say anything in any order, heard by real Rasa through the whole house (`make talks`).

`tests/actions/test_interleavings.py` promises the same of the actions alone, for what the understanding might make of a
line; here it makes of it what it does. A seed gives the same talks every time: `TALKS_SEED=7 make talks` gives others.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import pytest

from sandbox.mirror import Mirror
from sandbox.play import Stage, text
from tests.conversations import scripts
from tests.faults.harness import Stack, until

SEED = int(os.environ.get("TALKS_SEED", "1"))
TALKS, TURNS = 30, 10  # three hundred turns, if nobody calls for people before
AT_ONCE = 6
WITHIN = 60.0  # seconds until an answer, on a machine that has other work
YES = ("对的", "确认，没问题")
ENGLISH_YES = ("yes, that's right", "yes please go ahead")
MATTERS = ("厨房水龙头关不紧一直滴水", "卧室的灯不亮了", "阳台推拉门的滑轮掉了")
CHINESE = (
    *MATTERS,
    *("报修", "你好", "谢谢", "怎么还没人来", "昨天的保安很热心，要表扬他", "算了不修了", "呜哩哇啦咕噜", "明天下午"),
    *(
        "水是从柜子底下渗出来的，木板都泡软了",
        "家里有只狗，师傅来之前打个电话",
        "物业费怎么交",
        "楼上半夜跳绳吵得睡不着",
    ),
)
ENGLISH = (
    *("the kitchen tap keeps dripping", "the bedroom light is dead", "I need something repaired", "hello", "thank you"),
    *("how far is my case", "never mind, cancel it", "blah fizz wug", "tomorrow afternoon", "how do I pay the fee"),
    *(
        "water comes from under the cabinet and the wood is soft",
        "the guard was very kind yesterday, please praise him",
    ),
)

pytestmark = [pytest.mark.talks, pytest.mark.asyncio(loop_scope="session")]


@dataclass
class Talk:
    """One resident's lines: what they told, and what they were told."""

    name: str
    language: str
    phone: str
    address: str
    said: list[str] = field(default_factory=list)

    def line(self, dice: random.Random) -> str:
        """What they say next; a yes and the facts of a case come often, or hardly any talk comes to one."""
        is_english = self.language == "en"
        often = [*((ENGLISH_YES if is_english else YES) * 2), *[self.address, self.phone] * 2]
        line: str = dice.choice([*(ENGLISH if is_english else CHINESE), *often])
        return line


def talks() -> list[Talk]:
    """The residents, a third of whom speak English."""
    return [
        Talk(
            name=f"{'Ann' if number % 3 == 2 else '安'}{number}",
            language="en" if number % 3 == 2 else "zh",
            phone=f"139{SEED:04}{number:04}",
            address=f"building 9, unit 1, room {301 + number}" if number % 3 == 2 else f"9栋1单元{301 + number}",
        )
        for number in range(TALKS)
    ]


async def test_three_hundred_turns_lose_nothing_double_nothing_and_leave_nobody_without_an_answer(house, mirror):
    """What a hand writes down as a story is what its author thought of."""
    stage = Stage(house.http, house.url, mirror, group=house.group)
    everybody, places = talks(), asyncio.Semaphore(AT_ONCE)
    await stage.enter({talk.name: {"first_name": talk.name, "language_code": talk.language} for talk in everybody})

    async def play(talk: Talk, dice: random.Random) -> None:
        async with places:
            await hold(talk, stage, house, dice)

    await asyncio.gather(*(play(talk, random.Random(f"{SEED}:{talk.name}")) for talk in everybody))
    await house.settled(within=WITHIN)

    wrong = [problem for talk in everybody for problem in problems(talk, stage.id(talk.name), house, mirror)]
    assert sum(len(talk.said) for talk in everybody) > TALKS * TURNS / 2
    assert wrong == []


async def hold(talk: Talk, stage: Stage, house: Stack, dice: random.Random) -> None:
    """Let a resident say their lines, each once the one before is answered, until people have the talk."""
    for _ in range(TURNS):
        line = talk.line(dice)
        talk.said.append(line)
        await stage.step({"who": talk.name, "says": line})
        chat = stage.id(talk.name)
        is_answered = partial(all_answered, house, chat, len(talk.said))
        await until(is_answered, f"{talk.name} has no answer: {talk.said}", within=WITHIN)
        if await asyncio.to_thread(house.value, _OWNER, chat=chat) != "bot":
            return


_TALK = "SELECT c.id FROM conversations c JOIN residents r ON r.id = c.resident_id WHERE r.chat_id = :chat"
_OWNER = f"SELECT owner FROM conversations WHERE id = ({_TALK})"
_PENDING = "SELECT count(*) FROM inbox WHERE lane = :lane AND done_at IS NULL AND dead_at IS NULL"
_SAID = f"SELECT author, text FROM messages WHERE conversation_id = ({_TALK}) AND author <> 'note' ORDER BY id"
_CASES = f"SELECT kind, matter, place, phone, state FROM cases WHERE conversation_id = ({_TALK}) ORDER BY id"


async def all_answered(house: Stack, chat: int, lines: int) -> bool:
    """Whether so many lines were heard, and each has an answer before the next."""
    if await asyncio.to_thread(house.value, _PENDING, lane=f"chat:{chat}"):
        return False
    authors = [author for author, _ in await asyncio.to_thread(house.rows, _SAID, chat=chat)]
    answers = [after for one, after in pairwise([*authors, None]) if one == "resident"]
    return len(answers) == lines and "resident" not in answers and None not in answers


def problems(talk: Talk, chat: int, house: Stack, mirror: Mirror) -> list[str]:
    """Every promise that was broken, with the talk."""
    shown = mirror.shown[chat]
    written = [f"{'·' if one['from']['is_bot'] else '>'} {text(one)}" for one in shown]
    found = [
        *promise("a line was lost", lines_kept(house, chat) == talk.said),
        *promise("not their language", scripts.in_another_language(shown, talk.language, quoted=quoted(talk)) is None),
        *cases_of(talk, house, chat),
    ]
    return ["\n".join([problem, *written]) for problem in found]


def promise(broken: str, is_kept: bool) -> list[str]:  # noqa: FBT001 - reads as a sentence where it is called
    """What to say of a promise that was not kept."""
    return [] if is_kept else [broken]


def lines_kept(house: Stack, chat: int) -> list[str]:
    """What they wrote, as it is kept."""
    return [words for author, words in house.rows(_SAID, chat=chat) if author == "resident"]


def quoted(talk: Talk) -> Sequence[str]:
    """What is repeated in their own words."""
    return [*talk.said, talk.name, talk.address, talk.phone, "示范小区"]


def cases_of(talk: Talk, house: Stack, chat: int) -> list[str]:
    """What is wrong with the cases of a talk: more than were confirmed, twice the same, or facts nobody told."""
    rows = house.rows(_CASES, chat=chat)
    confirmed = [row for row in rows if row.kind in ("repair", "complaint")]
    asked_for = sum(line in (*YES, *ENGLISH_YES, "谢谢", "thank you") for line in talk.said)
    at_work = [(row.matter, row.place) for row in confirmed if row.state not in ("cancelled", "closed")]
    told = talk.phone if talk.phone in talk.said else None
    return [
        *promise("a case that nobody confirmed", len(confirmed) <= asked_for),
        *promise("the same case twice", len(set(at_work)) == len(at_work)),
        *promise("a case without its matter", all(row.matter for row in confirmed)),
        *promise("a number that nobody told", all(row.phone in (None, told) for row in confirmed)),
    ]
