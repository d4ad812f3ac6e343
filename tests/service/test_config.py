"""The settings: a wrong one is refused at start with its name, the problem and an example."""

from __future__ import annotations

import pytest

from service.config import Settings, SettingsError, load


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    """Neither the developer's environment nor their `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"GUANJIA_{name.upper()}", raising=False)


WRONG = {
    "BOT_TOKEN": ["abc", "123", ":x", "12 3:abc"],
    "BOT_API_URL": ["telegram", "ftp://x"],
    "STAFF_CHAT_ID": ["5", "0", "x", "-1.5"],
    "COMMUNITY": ["园" * 61],
    "TIMEZONE": ["Mars/Olympus", "Beijing"],
    "DATABASE_URL": ["mysql://db/x", "sqlite:///x", "nonsense"],
    "WEBHOOK_URL": ["nonsense"],
    "WEBHOOK_SECRET": ["with space", "a/b", "字", "x" * 257, "a!b", "a.b", "a\tb"],
    "WEBHOOK_PORT": ["0", "65536", "x"],
    "RASA_URL": ["nonsense"],
    "RASA_TOKEN": ["short"],
    "RASA_TIMEOUT": ["0", "-1", "61", "x"],
    "ACTIONS_PORT": ["0"],
    "BOT_PER_SECOND": ["0", "-1"],
    "PRIVATE_PER_SECOND": ["0"],
    "PRIVATE_BURST": ["0", "1.5"],
    "GROUP_PER_MINUTE": ["0"],
    "FRAGMENT_WAIT": ["-0.1", "1.6"],
    "WORKERS": ["0", "65"],
    "QUIET_FROM": ["25:00", "x"],
    "QUIET_UNTIL": ["x"],
    "DESK_OPENS": ["8h"],
    "SWEEP_SECONDS": ["0", "61"],
    "CLOCK_URL": ["nonsense"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_setting_is_refused_with_its_name_the_problem_and_an_example(monkeypatch, name, value):
    monkeypatch.setenv(f"GUANJIA_{name}", value)

    with pytest.raises(SettingsError) as refused:
        load()

    [line] = str(refused.value).splitlines()
    said, _, example = line.partition("(example: ")
    assert said.startswith(f"GUANJIA_{name}: ")
    assert len(said) > len(name) + 12, "the problem is said"
    assert example.startswith(f"GUANJIA_{name}=")


@pytest.mark.parametrize("name", sorted(WRONG))
def test_the_example_that_is_shown_is_itself_accepted(monkeypatch, name):
    example = str((Settings.model_fields[name.lower()].examples or [""])[0])
    if name == "WEBHOOK_SECRET":
        example = example.replace(" ", "_")  # it describes the word instead of being one
    monkeypatch.setenv(f"GUANJIA_{name}", example)

    assert load() is not None


@pytest.mark.parametrize("name", ["BOT_TOKEN", "DATABASE_URL", "WEBHOOK_SECRET", "RASA_TOKEN"])
def test_a_wrong_secret_is_not_repeated(monkeypatch, name):
    """The message ends up in logs and tickets."""
    secret = {"RASA_TOKEN": "hushhus", "DATABASE_URL": "mysql://u:hushhush@db/x"}.get(name, "hush hush/")
    monkeypatch.setenv(f"GUANJIA_{name}", secret)

    with pytest.raises(SettingsError) as refused:
        load()

    assert "hush" not in str(refused.value)


def test_every_wrong_setting_has_its_own_line(monkeypatch):
    """One start shows everything that is to be mended."""
    monkeypatch.setenv("GUANJIA_WORKERS", "0")
    monkeypatch.setenv("GUANJIA_TIMEZONE", "Mars/Olympus")

    with pytest.raises(SettingsError) as refused:
        load()

    assert sorted(line.partition(":")[0] for line in str(refused.value).splitlines()) == [
        "GUANJIA_TIMEZONE",
        "GUANJIA_WORKERS",
    ]


def test_nothing_has_to_be_set_to_try_it_out():
    settings = load()

    assert (settings.bot_id, settings.zone.key) == (0, "Asia/Shanghai")


def test_an_empty_value_is_an_unset_one(monkeypatch):
    """`.env` files are full of them."""
    monkeypatch.setenv("GUANJIA_STAFF_CHAT_ID", "")

    assert load().staff_chat_id is None


@pytest.mark.parametrize("secret", ["a", "A-z_09", "x" * 256])
def test_telegrams_alphabet_is_accepted(monkeypatch, secret):
    monkeypatch.setenv("GUANJIA_WEBHOOK_SECRET", secret)

    assert load().webhook_secret is not None


def test_the_bots_id_is_the_number_of_its_token(monkeypatch):
    monkeypatch.setenv("GUANJIA_BOT_TOKEN", "123456:ABC-DEF")

    assert load().bot_id == 123456


def test_secrets_are_not_printed_with_the_settings(monkeypatch):
    monkeypatch.setenv("GUANJIA_BOT_TOKEN", "123456:ABC-DEF")

    assert "ABC-DEF" not in repr(load())
