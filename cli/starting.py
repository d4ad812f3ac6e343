"""What every command begins with: its settings, its log, and a transaction if it needs one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from service.config import Settings
    from service.models.communities import Community


def settings_for(name: str, *, token: bool = True) -> Settings:
    """The settings of the process `name`, or an end with what is wrong and how to mend it."""
    from cli import logs
    from service.config import SettingsError, load

    logs.set_up(name)
    try:
        settings = load()
    except SettingsError as error:
        sys.exit(f"{error}\nSet it in the environment or in .env; .env.example shows every setting.")
    if token and settings.bot_token is None:
        sys.exit("GUANJIA_BOT_TOKEN: is needed (example: GUANJIA_BOT_TOKEN=123456:ABC-DEF; @BotFather gives one)")
    if settings.webhook_url is not None and settings.webhook_secret is None:
        name = "GUANJIA_WEBHOOK_SECRET"
        sys.exit(f"{name}: is needed with GUANJIA_WEBHOOK_URL (example: {name}=a_long_random_word)")
    return settings


@contextmanager
def transaction(settings: Settings) -> Iterator[Session]:
    """One transaction of the database the settings name."""
    from cli import database
    from service import db

    with database.opened(settings) as url, db.transaction(db.sessions(db.connect(url))) as session:
        yield session


@contextmanager
def community(settings: Settings) -> Iterator[tuple[Session, Community]]:
    """One transaction of the database, and in it the community of the settings, as they say it is."""
    from bot import process

    with transaction(settings) as session:
        yield session, process.settle_in_with(session, settings)


@contextmanager
def named_community(settings: Settings, name: str | None) -> Iterator[tuple[Session, Community]]:
    """One transaction of the database, and the community of that name, or the one of the settings.

    Raises:
        CommunityNotFound: there is none of this name, or there are several.
    """
    from bot import process
    from service import communities

    with transaction(settings) as session:
        own = name in (None, settings.community)
        yield session, process.settle_in_with(session, settings) if own else communities.access_by_name(session, name)


@contextmanager
def refusals() -> Iterator[None]:
    """What the service refuses ends the command with the reason."""
    from service import texts
    from service.errors import ServiceError

    try:
        yield
    except ServiceError as error:
        sys.exit(texts.words(error.response, language="en", **error.facts))


def operator(*, unnamed: str = "operator") -> str:
    """The user of this machine by the name of their account; a container's may have a number and no name."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return unnamed
