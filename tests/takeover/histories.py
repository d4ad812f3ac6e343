"""Histories: what happens in a world, one step after the other. A seed always tells the same one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.takeover.world import STEPS

SHORTEST, LONGEST = 8, 40  # steps
CHOICES = 6  # of a step: who does it, or to which of several

# What makes a history interesting comes more often than what rarely happens; every other step has the weight 1.
OFTEN = {
    "resident_says": 2,
    "resident_bursts": 2,
    "butler_types": 4,
    "worker_takes": 6,
    "rasa_answers": 2,
    "sender_takes": 4,
    "telegram_takes_it_in": 3,
    "sender_writes_it_down": 3,
}
OFTEN_IN_PRIVATE = OFTEN | {"butler_types": 1, "butler_types_in_private": 8}
TAKEN = (("butler_taps", 0), ("worker_takes", 0))  # in private nothing can be typed before


@dataclass(frozen=True)
class History:
    """Steps, each with the number by which it chooses."""

    private: bool  # butlers read and answer in their own chats
    steps: Sequence[tuple[str, int]]


def written(seed: int) -> History:
    """The history of a seed; every second one takes place in private."""
    chance, private = random.Random(seed), seed % 2 == 1
    often = OFTEN_IN_PRIVATE if private else OFTEN
    names = chance.choices(list(STEPS), [often.get(name, 1) for name in STEPS], k=chance.randint(SHORTEST, LONGEST))
    steps = [(name, chance.randrange(CHOICES)) for name in names]
    return History(private, [*TAKEN, *steps] if private else steps)


def shortened(history: History, is_broken: Callable[[History], bool]) -> History:
    """What is left of a broken history when every step is taken out without which it is broken too."""
    place = 0
    while place < len(history.steps):
        fewer = replace(history, steps=[*history.steps[:place], *history.steps[place + 1 :]])
        if is_broken(fewer):
            history = fewer
        else:
            place += 1
    return history
