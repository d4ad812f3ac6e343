"""Photos and files of talks: shown, played or given out, once the bot has brought them from Telegram."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import Response

from console.doors import page
from console.troubles import Kind, Trouble
from console.visit import Visit
from service import files
from service.files import Look, Media
from service.models.talks import Message
from service.staff import Right

LONGEST_NAME = 100  # characters


@dataclass(frozen=True)
class Sent:
    """A file of a line, as a list shows it."""

    name: str  # as its sender called it
    picture: Look | None  # how it stands with a small picture of it; None: there is none


def show(visit: Visit) -> Response:
    """The page of one file: what it is, or why it is not there yet; looking at it has it fetched."""
    line = _line(visit)
    wanted = (line.id, files.whole(line.media) or "")
    look = files.ask(visit.session, visit.community.id, [wanted], now=visit.now)[wanted]
    return visit.page("files/one.html", line=line, look=look, name=files.name(line.media))


def sent(visit: Visit, media: Mapping[int, Media]) -> Mapping[int, Sent]:
    """What a list shows of the lines that have a file; showing it has their small pictures fetched.

    Args:
        visit: somebody looks at lines of their own community.
        media: what each line carries, by the line's row.
    """
    wanted = [(row, name) for row, body in media.items() if (name := files.small(body))]
    looks = {
        row: look for (row, _), look in files.ask(visit.session, visit.community.id, wanted, now=visit.now).items()
    }
    return {row: Sent(files.name(body), looks.get(row)) for row, body in media.items() if files.whole(body)}


def content(visit: Visit) -> Response:
    """The bytes of the file itself."""
    return _give(visit, files.whole)


def small(visit: Visit) -> Response:
    """A small picture of it, for lists."""
    return _give(visit, files.small)


def _line(visit: Visit) -> Message:
    line = files.line(visit.session, visit.community.id, visit.id())
    if line is None:
        raise Trouble(Kind.NOT_FOUND)
    return line


def _give(visit: Visit, which: Callable[[Media], str | None]) -> Response:
    """The browser shows what its bytes say is a picture, sound or film; anything else it can only keep."""
    line = _line(visit)
    found = files.content(visit.session, (line.id, which(line.media) or ""))
    if found is None:
        raise Trouble(Kind.NOT_FOUND)
    data, kind = found
    how = "attachment" if kind == files.ANYTHING or visit.asked("save") else "inline"
    disposition = f"{how}; filename*=UTF-8''{quote(_file_name(line), safe='')}"
    return Response(data, media_type=kind, headers={"Content-Disposition": disposition})


def _file_name(line: Message) -> str:
    """The sender's own name for it without signs that nobody sees: some make `exe` read as `jpg`."""
    name = "".join(sign for sign in files.name(line.media) if not unicodedata.category(sign).startswith("C"))
    return name[-LONGEST_NAME:] or f"{line.kind}-{line.id}"


DOORS = (
    page("/files/{id:int}", show, Right.RECORDS, shows="file"),
    page("/files/{id:int}/content", content, Right.RECORDS, shows="file"),
    page("/files/{id:int}/small", small, Right.RECORDS, shows="file"),
)
