"""The only room that speaks Telegram: rows in, rows out, and who handles what."""

import os

# python-telegram-bot's own switch to timedelta values, which become the only ones in its next major version.
os.environ.setdefault("PTB_TIMEDELTA", "true")
