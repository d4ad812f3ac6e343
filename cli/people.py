"""The commands about staff and their talks: `guanjia staff`, `guanjia self-checks`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

app = typer.Typer()
staff = typer.Typer(help="Who is in the staff group, and what they are.", no_args_is_help=True)
app.add_typer(staff, name="staff")


@staff.command("list")
def list_staff() -> None:
    """Show everybody in the staff group with number, role and languages."""
    from cli.starting import settings_for, transaction
    from service import communities
    from service import staff as members

    settings = settings_for("staff", token=False)
    with transaction(settings) as session:
        community = communities.access_community(session, settings.bot_id)
        for one in members.present(session, community.id):
            typer.echo(f"{one.number:5} {one.role:11} {','.join(one.languages or ()):6} {one.display_name}")


@staff.command("role")
def give_role(
    number: Annotated[int, typer.Argument(help="The staff number, as `guanjia staff list` shows it.")],
    role: Annotated[str, typer.Argument(help="butler, supervisor or manager.")],
) -> None:
    """Say what somebody is. The first manager is made here; managers then use /role in the group."""
    from cli.starting import settings_for, transaction
    from service import communities
    from service import staff as members
    from service.errors import NoSuchMember
    from service.models.people import Role

    roles = (Role.BUTLER, Role.SUPERVISOR, Role.MANAGER)
    if role not in roles:
        sys.exit(f"{role}: say {', '.join(roles)} (example: guanjia staff role 101 manager)")
    settings = settings_for("staff", token=False)
    with transaction(settings) as session:
        community = communities.access_community(session, settings.bot_id)
        try:
            members.appoint(members.by_number(session, community.id, number), Role(role))
        except NoSuchMember:
            sys.exit(f"{number}: nobody in the staff group has this number; see guanjia staff list")
    typer.echo(f"{number} is {role}")


@app.command("self-checks")
def self_checks() -> None:
    """Show what the nightly self-checks found; exit status 1 when the newest found something."""
    from cli.starting import settings_for, transaction
    from service import communities, self_check

    settings = settings_for("self-checks", token=False)
    with transaction(settings) as session:
        community = communities.access_community(session, settings.bot_id)
        nights = self_check.kept(session, community.id)
    for night in nights:
        looked_at = night.looked_at
        figures = f"{looked_at['takeovers']:6} takeovers {looked_at['lines']:8} lines"
        typer.echo(f"{night.day} {figures} {len(night.violations):4} violations")
        for one in night.violations:
            typer.echo(f"           {one['what']}: conversation {one['conversation']}, row {one['row']}")
    sys.exit(1 if nights and nights[0].violations else 0)
