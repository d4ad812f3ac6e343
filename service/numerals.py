"""Full-width signs and Chinese numerals, as residents type them → ASCII signs and digits."""

from __future__ import annotations

HALF_WIDTH = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x3001: 0x2C, 0x3002: 0x2C}
DIGITS = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "幺": 1}
UNITS = {"十": 10, "百": 100}


def is_numeral(sign: str) -> bool:
    """Whether a sign is a Chinese numeral."""
    return sign in DIGITS or sign in UNITS


def digits(numeral: str) -> str:
    """Chinese numerals as digits: 二十三 is a number, 一二零三 a row of digits."""
    if not UNITS.keys() & set(numeral):
        return "".join(str(DIGITS[sign]) for sign in numeral)
    total = pending = 0
    for sign in numeral:
        if sign in UNITS:
            total += (pending or 1) * UNITS[sign]
            pending = 0
        else:
            pending = DIGITS[sign]
    return str(total + pending)
