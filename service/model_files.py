"""The files of models: whether one can be served."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path


class BadModel(Exception):
    """A model's file is not there or cannot be read; says which and why."""


def check_file(file: Path) -> None:
    """Read a model's file to its end.

    Raises:
        BadModel: it is gone, cut off or something else.
    """
    try:
        with tarfile.open(file) as archive:
            names = {member.name.removeprefix("./") for member in archive}
    except FileNotFoundError:
        raise BadModel(f"{file}: is gone") from None
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise BadModel(f"{file}: is broken ({error})") from None
    if "metadata.json" not in names:
        raise BadModel(f"{file}: is no model of Rasa's")
