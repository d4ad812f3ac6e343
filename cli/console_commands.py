"""`guanjia console`: the staff's web pages, and a link that signs somebody in."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.starting import settings_for

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from service.config import Settings
    from service.models.communities import Community
    from service.models.people import Staff

app = typer.Typer(help="The staff's web pages.")
CLOCK_WITHIN = 5.0  # seconds until the demo's clock is not waited for
NOBODY = """nobody to sign in. Write something in the staff group, look up your number with `guanjia staff list`,
make yourself a manager with `guanjia staff role NUMBER manager`, and try again."""


@app.callback(invoke_without_command=True)
def console(context: typer.Context) -> None:
    """Serve the staff's web pages; with `link`: print a link that signs in."""
    if context.invoked_subcommand is None:
        import uvloop

        from cli import database

        settings = settings_for("console", token=False)
        with database.opened(settings) as url:
            uvloop.run(_serve(settings, url))


async def _serve(settings: Settings, url: str) -> None:
    from bot.clock import Clock
    from console import process

    clock, read = Clock(), asyncio.Event()
    following = None
    if settings.clock_url is not None:
        following = asyncio.create_task(clock.follow(str(settings.clock_url).rstrip("/"), on_change=read.set))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(read.wait(), CLOCK_WITHIN)
    try:
        await process.run(settings, database_url=url, now=clock.now)
    finally:
        if following is not None:
            following.cancel()


@app.command()
def link(
    number: Annotated[
        int | None, typer.Argument(help="Staff number, as `guanjia staff list` shows it; none: the first manager.")
    ] = None,
) -> None:
    """Print a link that signs a member of staff in, once, within five minutes."""
    from cli.starting import community

    settings = settings_for("console", token=False)
    now = asyncio.run(now_by(settings))
    with community(settings) as (session, home):
        typer.echo(make_link(session, home, number, now=now))


async def now_by(settings: Settings) -> datetime:
    """The moment, by the demo's clock if the settings name one: a link is good for the console that reads the same."""
    import aiohttp

    ahead = 0.0
    if settings.clock_url is not None:
        async with aiohttp.ClientSession() as http, http.get(str(settings.clock_url)) as answer:
            ahead = float((await answer.json())["offset"])
    return datetime.now(UTC) + timedelta(seconds=ahead)


def make_link(session: Session, community: Community, number: int | None, *, now: datetime) -> str:
    """The address of a new link; an end with what to do when there is nobody to sign in."""
    from service import audit, sign_in
    from service.errors import NoSuchMember, NotAllowed

    try:
        member = _member(session, community, number)
        token = sign_in.make_link(session, member, now=now)
    except NoSuchMember:
        sys.exit(NOBODY)
    except NotAllowed:
        sys.exit(f"{number}: the console is for butlers, supervisors and managers; see `guanjia staff role`")
    audit.write(
        session, community.id, actor="operator", act="make_link", object="session", object_id=member.number, now=now
    )
    return sign_in.address(community, token)


def _member(session: Session, community: Community, number: int | None) -> Staff:
    from service import staff
    from service.errors import NoSuchMember
    from service.models.people import Role

    if number is not None:
        return staff.by_number(session, community.id, number)
    managers = [one for one in staff.present(session, community.id) if one.role is Role.MANAGER]
    if not managers:
        raise NoSuchMember
    return managers[0]
