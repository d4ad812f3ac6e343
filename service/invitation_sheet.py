"""Invitations on paper: a page to print and cut, one strip a household, with a QR code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from string import Template

import segno

from service import texts

PAGE = Path(__file__).with_suffix(".html")
STRIP = Template('<section class="sheet">$code<div><h2>$place</h2>$words<p class="link">$link</p></div></section>')


@dataclass(frozen=True)
class Strip:
    """What one household gets."""

    place: str
    link: str


def link(bot_name: str, token: str) -> str:
    """The address that opens the bot with the token."""
    return f"https://t.me/{bot_name}?start={token}"


def page(strips: Iterable[Strip], *, community: str, until: str) -> str:
    """The whole page.

    Args:
        strips: in the order in which they are handed out.
        community: its name.
        until: the last day, as people read it.
    """
    said = "".join(f"<p>{escape(line)}</p>" for line in words(community, until))
    sheets = "\n".join(
        STRIP.substitute(code=code(strip.link), place=escape(strip.place), words=said, link=escape(strip.link))
        for strip in strips
    )
    return Template(PAGE.read_text("utf-8")).substitute(title=escape(community), sheets=sheets)


def words(community: str, until: str) -> list[str]:
    """What stands on every strip, in each language."""
    return [
        texts.words("utter_invitation_sheet", language=language, community=community, until=until)
        for language in texts.LANGUAGES
    ]


def code(address: str) -> str:
    """A QR code as an image that needs no other file."""
    drawn = BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", xmldecl=False, svgns=True, omitsize=True)
    return drawn.getvalue().decode()
