"""setWebhook and its kin."""

from __future__ import annotations

from urllib.parse import urlsplit

from sandbox.errors import bad_request
from sandbox.models import JSON
from sandbox.registry import Call, answers
from sandbox.webhook import Webhook

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
CONNECTIONS = 40
ENDED = "terminated by setWebhook request"


@answers("setWebhook")
def set_webhook(call: Call) -> bool:
    """Deliver by POST from now on; an empty URL goes back to polling."""
    params, bot = call.params, call.bot
    url = params["url"]
    _stop(call)
    if url:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOCAL:
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if "allowed_updates" in params:
            bot.updates.allowed = frozenset(params["allowed_updates"]) or None
        if bot.poller is not None:
            bot.poller.conflict = ENDED
        bot.webhook = Webhook(call.world, bot, url, params.get("secret_token") or "")
        bot.webhook.connections = min(max(1, params.get("max_connections", CONNECTIONS)), 100)
        bot.webhook.start()
    return True


@answers("deleteWebhook")
def delete_webhook(call: Call) -> bool:
    """Go back to polling."""
    _stop(call)
    return True


@answers("getWebhookInfo")
def get_webhook_info(call: Call) -> JSON:
    """Where updates go and what went wrong last."""
    bot = call.bot
    waiting = sum(not update.settled for update in bot.updates.pending)
    info: JSON = {"url": "", "has_custom_certificate": False, "pending_update_count": waiting}
    if bot.webhook is not None:
        info |= bot.webhook.card()
    if bot.updates.allowed is not None:
        info["allowed_updates"] = sorted(bot.updates.allowed)
    return info


def _stop(call: Call) -> None:
    if call.bot.webhook is not None:
        call.bot.webhook.stop()
        call.bot.webhook = None
    if call.params.get("drop_pending_updates"):
        call.bot.updates.clear()
