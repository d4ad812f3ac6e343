"""getFile."""

from __future__ import annotations

from sandbox.errors import bad_request
from sandbox.files import DOWNLOAD_MAX, access_file
from sandbox.models import JSON
from sandbox.registry import Call, answers


@answers("getFile")
def get_file(call: Call) -> JSON:
    """Where to download a file, up to 20 MB, with an id this bot was given."""
    file_id = call.params["file_id"]
    reason = "wrong file_id or the file is temporarily unavailable"
    file = access_file(call.world, call.bot.id, file_id, reason=reason)
    if file.size > DOWNLOAD_MAX:
        raise bad_request("file is too big")
    card = {"file_id": file_id, "file_unique_id": file.unique_id}
    return {**card, "file_size": file.size, "file_path": file.path}
