"""`guanjia incidents`: entered, shown and ended by an operator."""

from __future__ import annotations


def test_an_incident_is_entered_shown_and_ended(guanjia, sessions, database_url):
    """The office may not be in the staff group."""

    def run(*arguments: str):
        return guanjia("incidents", *arguments, DATABASE_URL=database_url)

    entered = run("enter", "3栋 停水 至 18:00")
    number = entered.stdout.partition(":")[0]
    shown, ended, again = run("list"), run("end", number), run("end", number)

    assert "Building 3, no water" in entered.stdout, entered.stderr
    assert f"{number}: Building 3, no water" in shown.stdout
    assert ended.stdout.rstrip().endswith("0 residents will be told")
    assert again.returncode == 1
