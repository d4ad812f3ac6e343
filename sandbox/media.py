"""Files as message content: the Bot API object of each kind, from uploads, ids and links."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.errors import bad_request
from sandbox.files import Upload, access_file, keep_file
from sandbox.models import JSON, File
from sandbox.world import World

WRONG_ID = "wrong remote file identifier specified: Wrong character in the string"

# What each kind carries beside its ids, and the value when nobody says.
DETAILS: dict[str, JSON] = {
    "photo": {"width": 1280, "height": 853},
    "document": {},
    "voice": {"duration": 3},
    "video": {"width": 1280, "height": 720, "duration": 5},
    "video_note": {"length": 240, "duration": 5},
    "audio": {"duration": 60},
    "sticker": {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False},
    "animation": {"width": 320, "height": 240, "duration": 2},
    "live_photo": {"width": 1280, "height": 853, "duration": 3},
}
OPTIONAL = ("performer", "title", "emoji", "set_name")
NAMED = frozenset({"document", "video", "audio", "animation"})
TYPED = frozenset({"document", "voice", "video", "audio", "animation", "live_photo"})


def describe(world: World, kind: str, file: File) -> JSON:
    """The content of a message that shows this file."""
    card: JSON = {"file_id": "", "file_unique_id": file.unique_id, **DETAILS[kind], **file.details}
    card["file_size"] = file.size
    if kind in NAMED:
        card["file_name"] = file.name
    if kind in TYPED:
        card["mime_type"] = file.mime
    if kind == "photo":
        return {"photo": [_thumbnail(world, file), card]}
    if kind == "animation":
        extra = ("width", "height", "duration")
        return {"animation": card, "document": {key: value for key, value in card.items() if key not in extra}}
    return {kind: card}


def note_details(file: File, kind: str, given: JSON) -> None:
    """Remember the duration, the size and the like that somebody named for a file."""
    wanted = (*DETAILS[kind], *OPTIONAL)
    file.details |= {key: given[key] for key in wanted if given.get(key) is not None}


def resolve(world: World, bot_id: int, kind: str, source: Any, attached: JSON) -> File:
    """The file a bot names: an upload, ``attach://``, an id it was given, or a link.

    Raises:
        ApiError: the id is not valid for this bot, or the file is of another kind.
    """
    if isinstance(source, str) and source.startswith("attach://"):
        source = attached.get(source.removeprefix("attach://"))
    if isinstance(source, Upload):
        return keep_file(world, kind, source)
    if not isinstance(source, str) or not source:
        raise bad_request(f"there is no {kind} in the request")
    if source.startswith(("http://", "https://")):
        # The sandbox does not reach out; the name is all it needs of a link.
        link = keep_file(world, kind, None)
        link.name = source.rpartition("/")[2] or link.name
        return link
    file = access_file(world, bot_id, source, reason=WRONG_ID)
    if file.kind != kind:
        was, wanted = (name.replace("_", " ").title().replace(" ", "") for name in (file.kind, kind))
        raise bad_request(f"can't use file of type {was} as {wanted}")
    return file


def _thumbnail(world: World, file: File) -> JSON:
    small = replace(file, unique_id=f"{file.unique_id}s", path=f"{file.path}.s", size=min(file.size, 1024), data=None)
    world.files.setdefault(small.unique_id, small)
    card: JSON = {"file_id": "", "file_unique_id": small.unique_id, "width": 90, "height": 60}
    return card | {"file_size": small.size}
