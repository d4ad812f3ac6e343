"""Quiet hours of a community: no follow-up rings a resident's phone, and nobody rings their door."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from service.models.communities import Community


def after(moment: datetime, community: Community) -> datetime:
    """The same moment, or the end of the community's quiet hours that it falls into.

    Args:
        moment: aware.
        community: by its own clock.
    """
    local = moment.astimezone(ZoneInfo(community.timezone))
    begins, ends = community.quiet_from, community.quiet_until
    overnight = begins > ends
    quiet = local.time() >= begins or local.time() < ends if overnight else begins <= local.time() < ends
    if not quiet:
        return moment
    if overnight and local.time() >= begins:
        local += timedelta(days=1)
    return local.replace(hour=ends.hour, minute=ends.minute, second=0, microsecond=0).astimezone(moment.tzinfo)


def are_at(moment: datetime, community: Community) -> bool:
    """Whether it is one of the quiet hours."""
    return after(moment, community) != moment
