"""Model files for the tests of the commands: real enough for everything but Rasa."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from service.language_models import file_of
from tests.stage import NOON

FINE = {"measured": "m", "languages": {"zh": {"macro_f1": 0.9, "messages": 100, "intents": {}}}}
WORSE = {"measured": "m", "languages": {"zh": {"macro_f1": 0.8, "messages": 100, "intents": {}}}}


def put(folder: Path, name: str, **certificate: Any) -> str:
    """Put an archive with its certificate into the folder."""
    metadata = b"{}"
    with tarfile.open(file_of(folder, name), "w:gz") as archive:
        member = tarfile.TarInfo("metadata.json")
        member.size = len(metadata)
        archive.addfile(member, io.BytesIO(metadata))
    known = {"data_hash": "d", "trained_at": NOON.isoformat(), "trained_by": "wang", "scores": FINE}
    (folder / f"{name}.json").write_text(json.dumps(known | certificate), "utf-8")
    return name
