"""Drive a running sandbox the way bots and people do: over HTTP."""

from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.botapi_spec import check_result

TOKEN = "100001:TESTTOKEN"
OTHER_TOKEN = "100002:OTHERTOKEN"
JSON = dict[str, Any]


class Refused(Exception):
    """The Bot API said no."""

    def __init__(self, body: JSON) -> None:
        super().__init__(body["description"])
        self.code: int = body["error_code"]
        self.description: str = body["description"]
        self.parameters: JSON = body.get("parameters", {})


@dataclass
class Client:
    """One test's view of the sandbox: ``bot`` speaks the Bot API, the rest plays people."""

    base: str
    http: aiohttp.ClientSession
    results: list[tuple[str, Any]] = field(default_factory=list)

    async def sim(self, verb: str, path: str, body: JSON | None = None, *, status: int = 200) -> Any:
        async with self.http.request(verb, f"{self.base}/sim{path}", json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        return await self.sim("POST", path, {key.rstrip("_"): value for key, value in body.items()})

    async def get(self, path: str) -> Any:
        return await self.sim("GET", path)

    def url(self, method: str, token: str = TOKEN) -> str:
        return f"{self.base}/bot{token}/{method}"

    async def bot(self, method: str, *, token: Any = TOKEN, **params: Any) -> Any:
        """Call a method; every result is checked against the specification."""
        async with self.http.post(self.url(method, token), json=params) as answer:
            body = await answer.json()
            if not body["ok"]:
                assert answer.status == body["error_code"]
                raise Refused(body)
        result = body["result"]
        if method != "getUpdates":
            assert check_result(method, result) == []
            self.results.append((method, result))
        return result

    async def refusal(self, method: str, *, token: Any = TOKEN, **params: Any) -> Refused:
        """Call a method that must fail."""
        try:
            result = await self.bot(method, token=token, **params)
        except Refused as refused:
            return refused
        raise AssertionError(result)

    async def updates(self, *, token: str = TOKEN, **params: Any) -> list[JSON]:
        """Poll once and confirm what came."""
        found: list[JSON] = await self.bot("getUpdates", token=token, **params)
        if found:
            await self.bot("getUpdates", token=token, offset=max(u["update_id"] for u in found) + 1)
        return found

    async def make_user(self, first_name: str = "李雷", **more: Any) -> int:
        user = await self.post("/users", first_name=first_name, **more)
        return int(user["id"])

    async def make_resident(self, first_name: str = "李雷", **more: Any) -> int:
        """A person who has started the bot; the start itself is already read."""
        user = await self.make_user(first_name, **more)
        await self.say(user, "/start")
        await self.updates()
        return user

    async def make_group(self, *members: int, **more: Any) -> int:
        """A forum with the bot in it; what the bot heard of that is already read."""
        chat = await self.post("/groups", title="阳光花园", members=list(members), **more)
        await self.updates()
        return int(chat["id"])

    async def make_topic(self, group: int, name: str = "3-2-501") -> int:
        topic = await self.bot("createForumTopic", chat_id=group, name=name)
        await self.updates()
        return int(topic["message_thread_id"])

    async def say(self, user: int, text: Any = None, **more: Any) -> Any:
        return await self.post("/messages", from_=user, **({"text": text} if text else {}), **more)

    async def seen(self, chat: int, query: str = "") -> list[JSON]:
        found: list[JSON] = await self.get(f"/chats/{chat}/messages{query}")
        return found

    async def unlimited(self) -> None:
        await self.post("/limits", enabled=False)
