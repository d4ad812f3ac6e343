"""The settings, each with its unit: from the environment or `.env`, refused at start when wrong."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, HttpUrl, PositiveFloat, PositiveInt, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "GUANJIA_"
MODELS = ROOT / "models"  # unless the settings say otherwise

Port = Annotated[int, Field(ge=1, le=65535)]


class SettingsError(Exception):
    """A setting is wrong: its name, the problem and an example, ready to print."""


class Settings(BaseSettings):
    """What an operator may set; `.env.example` shows every field with its unit.

    Field titles of `json_schema_extra={"example": …}` feed the error message for a wrong value.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", env_ignore_empty=True, frozen=True
    )

    bot_token: SecretStr | None = Field(None, examples=["123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"])
    bot_api_url: HttpUrl = Field(HttpUrl("https://api.telegram.org"), examples=["https://api.telegram.org"])
    api_timeout: PositiveFloat = Field(20.0, le=60, examples=["20"])
    staff_chat_id: int | None = Field(None, lt=0, examples=["-1001234567890"])
    community: str = Field("示范小区", min_length=1, max_length=60, examples=["阳光花园"])
    timezone: str = Field("Asia/Shanghai", examples=["Asia/Shanghai"])
    phone: str = Field("0731-88888888", examples=["0731-88888888"])
    desk_opens: time = Field(time(8), examples=["08:00"])
    desk_closes: time = Field(time(20), examples=["20:00"])
    quiet_from: time = Field(time(21), examples=["21:00"])
    quiet_until: time = Field(time(8), examples=["08:00"])
    unasked_per_day: PositiveInt = Field(1, le=24, examples=["1"])
    survey_every_days: PositiveInt = Field(14, le=366, examples=["14"])
    visit_minutes: int = Field(120, ge=15, le=720, examples=["120"])
    visits_per_window: PositiveInt = Field(2, le=100, examples=["2"])
    remind_visits_at: time = Field(time(19), examples=["19:00"])
    talks_in: Literal["group", "private"] = Field("group", examples=["private"])

    database_url: SecretStr | None = Field(None, examples=["postgresql://guanjia:secret@db/guanjia"])
    data_dir: Path = Field(ROOT / "var", examples=["/var/lib/guanjia"])
    models_dir: Path = Field(MODELS, examples=["/var/lib/guanjia/models"])
    models_kept: PositiveInt = Field(5, examples=["5"])
    model_days: PositiveInt = Field(30, le=3660, examples=["30"])

    webhook_url: HttpUrl | None = Field(None, examples=["https://bot.example.org/telegram"])
    webhook_secret: SecretStr | None = Field(None, examples=["a long random word of A-Z a-z 0-9 _ -"])
    webhook_host: str = Field("127.0.0.1", examples=["127.0.0.1"])
    webhook_port: Port = Field(8443, examples=["8443"])

    console_url: HttpUrl = Field(HttpUrl("http://127.0.0.1:8090"), examples=["https://console.example.org"])
    console_host: str = Field("127.0.0.1", examples=["127.0.0.1"])
    console_port: Port = Field(8090, examples=["8090"])

    rasa_url: HttpUrl = Field(HttpUrl("http://127.0.0.1:5005"), examples=["http://127.0.0.1:5005"])
    rasa_token: SecretStr = Field(SecretStr("guanjia-local"), min_length=8, examples=["a long random word"])
    rasa_timeout: PositiveFloat = Field(15.0, le=60, examples=["15"])
    actions_port: Port = Field(5055, examples=["5055"])
    actions_host: str = Field("127.0.0.1", examples=["127.0.0.1"])

    bot_per_second: PositiveFloat = Field(25.0, examples=["25"])
    private_per_second: PositiveFloat = Field(1.0, examples=["1"])
    private_burst: PositiveInt = Field(3, examples=["3"])
    group_per_minute: PositiveFloat = Field(18.0, examples=["18"])
    fragment_wait: float = Field(1.0, ge=0, le=1.5, examples=["1.0"])
    workers: PositiveInt = Field(8, le=64, examples=["8"])

    sweep_seconds: PositiveFloat = Field(1.0, le=60, examples=["1"])
    clock_url: HttpUrl | None = Field(None, examples=["http://127.0.0.1:8081/sim/clock"])

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("no such time zone")
        return value

    @field_validator("database_url")
    @classmethod
    def _only_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.match(r"postgres(ql)?(\+\w+)?://", value.get_secret_value()):
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("bot_token")
    @classmethod
    def _botfathers_shape(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", value.get_secret_value()):
            raise ValueError("a number, a colon and a long word, as @BotFather wrote it")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _telegrams_alphabet(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
            raise ValueError("1-256 characters of A-Z, a-z, 0-9, _ and - (Telegram's rule)")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The community's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def bot_id(self) -> int:
        """The bot's Telegram id, the number before the colon of its token; 0 without a token (terminal talk)."""
        return int(self.bot_token.get_secret_value().split(":")[0]) if self.bot_token else 0


def load() -> Settings:
    """Read the settings once.

    Raises:
        SettingsError: one line per wrong setting: its name, the problem and an example.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(map(_explain, error.errors()))) from None


def _explain(problem: object) -> str:
    assert isinstance(problem, dict)
    field = str(problem["loc"][0])
    known = Settings.model_fields.get(field)
    example = (known.examples or [""])[0] if known else ""
    return f"{PREFIX}{field.upper()}: {problem['msg']} (example: {PREFIX}{field.upper()}={example})"
