"""Settings: a wrong one is refused at start, with its name, the problem and an example."""

import pytest

from service.config import PREFIX, SettingsError, load

WRONG = {
    "BOT_TOKEN": "abc",
    "STAFF_CHAT_ID": "100123",
    "TIMEZONE": "Asia/Changsha",
    "WEBHOOK_SECRET": "with a blank",
    "WEBHOOK_PORT": "70000",
    "RASA_TOKEN": "short",
    "RASA_URL": "rasa:5005",
    "RASA_TIMEOUT": "0",
    "FRAGMENT_WAIT": "2",
    "WORKERS": "many",
    "BOT_API_URL": "telegram",
    "COMMUNITY": "x" * 61,
}


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """A folder without `.env`, and none of the tester's own settings."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_refused_with_its_name_and_an_example(monkeypatch, name):
    """An operator mends it without reading code."""
    monkeypatch.setenv(PREFIX + name, WRONG[name])

    with pytest.raises(SettingsError) as refused:
        load()

    assert str(refused.value).startswith(f"{PREFIX}{name}: ")
    assert f"(example: {PREFIX}{name}=" in str(refused.value)


def test_a_refusal_never_repeats_a_secret(monkeypatch):
    """It ends in logs and screenshots."""
    monkeypatch.setenv("GUANJIA_BOT_TOKEN", "123456-a-typing-error")

    with pytest.raises(SettingsError) as refused:
        load()

    assert "typing-error" not in str(refused.value)


def test_every_wrong_setting_is_told_at_once(monkeypatch):
    """One restart, not five."""
    for name, value in WRONG.items():
        monkeypatch.setenv(PREFIX + name, value)

    with pytest.raises(SettingsError) as refused:
        load()

    assert len(str(refused.value).splitlines()) == len(WRONG)


def test_an_empty_setting_is_not_set(monkeypatch):
    """`.env.example` leaves some of them empty."""
    monkeypatch.setenv("GUANJIA_STAFF_CHAT_ID", "")

    assert load().staff_chat_id is None
