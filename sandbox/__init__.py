"""A Telegram look-alike: the Bot API over HTTP, a control API, a clock and faults."""
