"""`guanjia transcript`: a talk as it stands in the record, to read or for other programs; or where words were said."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import structlog
import typer

app = typer.Typer()
log = structlog.get_logger(__name__)


class Form(StrEnum):
    """How it is written."""

    TEXT = "text"
    JSON = "json"


@app.command()
def transcript(
    of: Annotated[
        str | None, typer.Argument(metavar="CASE|RESIDENT", help="A case's number, a telephone or Telegram number.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="To read, or for other programs.")] = Form.TEXT,
    search: Annotated[str | None, typer.Option(metavar="WORDS", help="Instead: the newest lines with these.")] = None,
) -> None:
    """Show what was said: by whom, when, with every edit and file. It holds what residents wrote; showing is logged."""
    from cli.starting import settings_for, transaction
    from cli.transcript_lines import as_json, as_text
    from service import communities, transcripts
    from service.errors import TranscriptNotFound

    if (of is None) == (search is None):
        sys.exit("say whose talk, or --search WORDS (example: guanjia transcript R2611-0001)")
    settings = settings_for("transcript", token=False)
    with transaction(settings) as session:
        community = communities.access_community(session, settings.bot_id)
        zone = ZoneInfo(community.timezone)
        if search is not None:
            found = transcripts.search(session, community.id, search)
            log.info("transcripts_searched", lines=len(found))
            typer.echo(as_json(found) if form is Form.JSON else as_text(found, zone))
            return
        try:
            talk = transcripts.access_conversation(session, community.id, of or "")
        except TranscriptNotFound:
            sys.exit(f"{of}: no case, telephone or Telegram number of one resident here")
        entries = transcripts.read(session, talk)
        log.info("transcript_shown", conversation=talk.id, lines=len(entries))
        typer.echo(as_json(entries) if form is Form.JSON else as_text(entries, zone))
