"""`guanjia export`, by the command an operator types."""

from __future__ import annotations

from sqlalchemy import select

from service.models.archive import ArchiveEvent


def test_a_sheet_is_written_for_its_owner_only_and_the_export_is_logged(guanjia, sessions, database_url, tmp_path):
    file = tmp_path / "calls.xlsx"
    done = guanjia("export", "call-backs", str(file), "--from", "2026-11-01", DATABASE_URL=database_url)

    assert done.stdout == f"0 rows in {file}\n", done.stderr
    assert (file.stat().st_mode & 0o777, [path.name for path in tmp_path.iterdir()]) == (0o600, ["calls.xlsx"])
    with sessions.begin() as session:
        event = session.scalars(select(ArchiveEvent)).one()
    assert (event.act, event.detail and event.detail["first"]) == ("exported_call-backs", "2026-11-01")
