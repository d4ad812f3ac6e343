"""Files: ids that only their own bot can use, bytes made up on demand."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from typing import Any

from sandbox.errors import bad_request
from sandbox.models import JSON, File
from sandbox.world import World

DOWNLOAD_MAX = 20 * 1024 * 1024  # bytes a bot may download
UPLOAD_MAX = {"photo": 10 * 1024 * 1024}  # bytes; other kinds 50 MB
UPLOAD_MAX_OTHER = 50 * 1024 * 1024

# kind: (folder on the file server, extension, MIME type)
KINDS = {
    "photo": ("photos", "jpg", "image/jpeg"),
    "document": ("documents", "bin", "application/octet-stream"),
    "voice": ("voice", "oga", "audio/ogg"),
    "video": ("videos", "mp4", "video/mp4"),
    "video_note": ("video_notes", "mp4", "video/mp4"),
    "audio": ("music", "mp3", "audio/mpeg"),
    "sticker": ("stickers", "webp", "image/webp"),
    "animation": ("animations", "mp4", "video/mp4"),
    "live_photo": ("live_photos", "mp4", "video/mp4"),
}


@dataclass(slots=True)
class Upload:
    """A file as a client sent it along."""

    name: str
    mime: str
    data: bytes


def keep_file(world: World, kind: str, upload: Upload | None, *, size: int | None = None) -> File:
    """Remember a file; without bytes it gets some when somebody looks."""
    number = world.new_id("file")
    folder, extension, mime = KINDS[kind]
    unique_id = f"AQAD{number:012d}"
    name = upload.name if upload and upload.name else f"file_{number}.{extension}"
    ending = name.rpartition(".")[2] if "." in name else extension
    file = File(
        unique_id,
        kind,
        len(upload.data) if upload else size or 1024,
        (upload.mime if upload else "") or mime,
        name,
        f"{folder}/file_{number}.{ending}",
        upload.data if upload else None,
    )
    if file.size > UPLOAD_MAX.get(kind, UPLOAD_MAX_OTHER) and upload is not None:
        raise bad_request("file is too big")
    if upload is None and size is None:
        file.size = len(content_of(file))
    world.files[unique_id] = file
    return file


def content_of(file: File) -> bytes:
    """The bytes, made up if nobody gave any."""
    if file.data is None:
        file.data = _picture(file.unique_id) if file.kind in ("photo", "sticker") else _filler(file)
    return file.data


def make_file_id(bot_id: int, unique_id: str) -> str:
    """An id that names the file for one bot."""
    return "AgAC" + base64.urlsafe_b64encode(f"{bot_id}:{unique_id}".encode()).decode().rstrip("=")


def access_file(world: World, bot_id: int, file_id: str, *, reason: str) -> File:
    """The file behind an id, if the id was given to this bot."""
    try:
        text = base64.urlsafe_b64decode(file_id.removeprefix("AgAC") + "===").decode()
    except ValueError as error:
        raise bad_request(reason) from error
    owner, _, unique_id = text.partition(":")
    file = world.files.get(unique_id)
    if owner != str(bot_id) or file is None:
        raise bad_request(reason)
    return file


def addressed(value: Any, bot_id: int) -> Any:
    """A copy in which every file carries the id valid for this bot."""
    if isinstance(value, list):
        return [addressed(item, bot_id) for item in value]
    if not isinstance(value, dict):
        return value
    copy: JSON = {key: addressed(item, bot_id) for key, item in value.items()}
    if "file_unique_id" in copy:
        copy["file_id"] = make_file_id(bot_id, copy["file_unique_id"])
    return copy


def _filler(file: File) -> bytes:
    stamp = f"{file.kind} {file.unique_id}\n".encode()
    return (stamp * (file.size // len(stamp) + 1))[: file.size]


def _picture(seed: str) -> bytes:
    """A small plain PNG whose colour follows the file."""
    colour = zlib.crc32(seed.encode()).to_bytes(4, "big")[:3]
    width, height = 96, 64
    rows = (b"\x00" + colour * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
