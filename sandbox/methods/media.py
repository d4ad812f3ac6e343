"""Messages with files, alone and in albums."""

from __future__ import annotations

from sandbox.envelope import caption_of, send, send_stored
from sandbox.errors import bad_request
from sandbox.media import describe, note_details, resolve
from sandbox.models import JSON
from sandbox.posting import as_seen
from sandbox.registry import Call, answers, one_message

WITHOUT_CAPTION = frozenset({"video_note", "sticker"})
ALBUM_KINDS = frozenset({"photo", "video", "document", "audio"})
ALBUM_SIZE = range(2, 11)


def _send_file(call: Call, kind: str) -> JSON:
    file = resolve(call.world, call.bot.id, kind, call.params.get(kind), call.params)
    note_details(file, kind, call.params)
    caption = {} if kind in WITHOUT_CAPTION else caption_of(call.params)
    return send(call, describe(call.world, kind, file) | caption, media=True)


@answers("sendPhoto", cost=one_message)
def send_photo(call: Call) -> JSON:
    """A photo."""
    return _send_file(call, "photo")


@answers("sendDocument", cost=one_message)
def send_document(call: Call) -> JSON:
    """Any file."""
    return _send_file(call, "document")


@answers("sendVoice", cost=one_message)
def send_voice(call: Call) -> JSON:
    """A voice message."""
    return _send_file(call, "voice")


@answers("sendVideo", cost=one_message)
def send_video(call: Call) -> JSON:
    """A video."""
    return _send_file(call, "video")


@answers("sendVideoNote", cost=one_message)
def send_video_note(call: Call) -> JSON:
    """A round video."""
    return _send_file(call, "video_note")


@answers("sendAudio", cost=one_message)
def send_audio(call: Call) -> JSON:
    """Music."""
    return _send_file(call, "audio")


@answers("sendSticker", cost=one_message)
def send_sticker(call: Call) -> JSON:
    """A sticker."""
    return _send_file(call, "sticker")


@answers("sendAnimation", cost=one_message)
def send_animation(call: Call) -> JSON:
    """A silent clip."""
    return _send_file(call, "animation")


def item_content(call: Call, item: JSON) -> JSON:
    """The content of one ``InputMedia``."""
    kind = str(item.get("type"))
    if kind not in (*ALBUM_KINDS, "animation"):
        raise bad_request("can't parse InputMedia: type must be specified")
    file = resolve(call.world, call.bot.id, kind, item.get("media"), call.params)
    note_details(file, kind, item)
    return describe(call.world, kind, file) | caption_of(item)


def album_size(params: JSON) -> int:
    """Every picture of an album counts as a message."""
    media = params["media"]
    return len(media) if isinstance(media, list) else 1


@answers("sendMediaGroup", cost=album_size)
def send_media_group(call: Call) -> list[JSON]:
    """An album: all or nothing, tied together by ``media_group_id``."""
    media = call.params["media"]
    if not isinstance(media, list) or len(media) not in ALBUM_SIZE:
        raise bad_request("wrong number of items in the album; must include 2-10 items")
    contents = [item_content(call, item) for item in media]
    group = {"media_group_id": str(13_000_000_000 + call.world.new_id("album"))}
    return [as_seen(send_stored(call, content, media=True, extra=group), call.bot) for content in contents]
