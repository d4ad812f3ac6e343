"""`guanjia export`: the call-back sheet and the results of surveys, as a file for the office; each export is logged."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import structlog
import typer

from cli.starting import named_community, operator, refusals, settings_for

app = typer.Typer()
log = structlog.get_logger(__name__)


class What(StrEnum):
    """What can be exported."""

    CALL_BACKS = "call-backs"
    SURVEYS = "surveys"


class Form(StrEnum):
    """How it is written."""

    XLSX = "xlsx"
    JSON = "json"


class Spoken(StrEnum):
    """In which language values are written."""

    ZH = "zh"
    EN = "en"


Day = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day; default: all.")]
LastDay = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day, included.")]


@app.command("export")
def export(
    what: Annotated[What, typer.Argument(help="By the day of finishing, or of asking.")],
    file: Annotated[Path, typer.Argument(help="Only you may read it: it names residents and holds what they wrote.")],
    first: Day = None,
    last: LastDay = None,
    community: Annotated[str | None, typer.Option(help="Its name; default: the one of the settings.")] = None,
    form: Annotated[Form | None, typer.Option("--format", help="Default: by the file's name, else xlsx.")] = None,
    language: Annotated[Spoken, typer.Option(help="Of the values in an .xlsx; titles are in both.")] = Spoken.ZH,
) -> None:
    """Write the call-back sheet or the results of surveys into a file; who exported what is written down."""
    from cli import sheet_file
    from service import sheets
    from service.sheets import Period

    sheet = sheets.SHEETS[what]
    period = Period(first and first.date(), last and last.date())
    chosen = form or (Form.JSON if file.suffix == ".json" else Form.XLSX)
    unfinished = file.with_name(f".{file.name}.part")
    with refusals(), named_community(settings_for("export", token=False), community) as (session, whose):
        try:
            unfinished.unlink(missing_ok=True)
            unfinished.touch(mode=0o600)
            rows = sheets.read(session, sheet, whose, period)
            count = sheet_file.WRITERS[chosen](unfinished, sheet, rows, language=language)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            sys.exit(f"{file}: {error.strerror}")
        sheets.log(session, sheet, whose, period, by=operator(), rows=count, now=datetime.now(UTC))
    unfinished.replace(file)
    log.info("exported", what=str(what), rows=count)
    typer.echo(f"{count} rows in {file}")
