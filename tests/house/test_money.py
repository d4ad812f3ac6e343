"""No money changes hands in the chat (N15)."""

import re

from service import texts
from tests.house.tree import python_files

TAKES_MONEY = re.compile(
    r"send_?invoice|create_?invoice|pre_?checkout|shipping_?query|send_?paid|star_?transaction", re.IGNORECASE
)
ASKS_FOR_MONEY = re.compile(
    r"收款码|转账给|微信转|支付宝|打赏|红包|(?:transfer|send) (?:the )?money|\btips?\b", re.IGNORECASE
)


def test_nothing_of_ours_can_take_a_payment():
    """Telegram has payments; the bot calls none of them."""
    rooms = ("bot", "service", "actions")
    taking = [
        str(path) for room in rooms for path, _ in python_files(room) if TAKES_MONEY.search(path.read_text("utf-8"))
    ]

    assert taking == []


def test_no_sentence_asks_for_money():
    """Fees go to the official account, which answers name; a tip or a gift is never asked for."""
    asking = [
        key for key, variants in texts._responses().items() for one in variants if ASKS_FOR_MONEY.search(one["text"])
    ]

    assert asking == []
