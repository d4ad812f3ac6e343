"""The sandbox's web page, played in a real browser: resident and staff, faults and the clock."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Locator, Page, Route, async_playwright, expect

from tests.sandbox.client import JSON, TOKEN, Client

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

WEB = Path(__file__).parents[2] / "sandbox/web"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
CONFIRM = {"inline_keyboard": [[{"text": "确认", "callback_data": "ok"}]]}
LOST = re.compile("ERR_(CONNECTION|EMPTY|INCOMPLETE|SOCKET)")  # what Chromium says of a cut line
Visit = Callable[..., Awaitable[Page]]
Handler = Callable[[Route], Awaitable[None]]
HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'


class Line:
    """A wire between the page and the sandbox that can be cut."""

    def __init__(self, base: str) -> None:
        self.far = int(base.rpartition(":")[2])
        self.near = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def up(self) -> str:
        self.server = await asyncio.start_server(self._join, "127.0.0.1", self.near)
        self.near = self.server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{self.near}"

    async def down(self) -> None:
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.far)
        self.writers += [writer, far_writer]
        with suppress(OSError):
            await asyncio.gather(self._pour(reader, far_writer), self._pour(far_reader, writer))

    @staticmethod
    async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.close()


def find_browser() -> str:
    """The browser of this machine; its absence is an excuse for a laptop and not for CI."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium on this machine")
    return found or pytest.skip("no Chromium on this machine")


@pytest.fixture(scope="module")
def page_server() -> Iterator[str]:
    """Start a sandbox with one bot; the one of conftest.py has two."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--no-limits", "--token", TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("sandbox listening on ").strip()
        process.terminate()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def context() -> AsyncIterator[BrowserContext]:
    """One browser whose cache all tests share; what the page remembered is forgotten with each new tab."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        await context.add_init_script("sessionStorage.old || localStorage.clear(); sessionStorage.old = true")
        yield context
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def world(page_server) -> AsyncIterator[Client]:
    """A sandbox in which nothing has happened yet."""
    async with aiohttp.ClientSession() as http:
        client = Client(page_server, http)
        await client.post("/reset")
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(context: BrowserContext, world: Client) -> AsyncIterator[Visit]:
    """Open the page in a new tab; no test may leave an error in its console."""
    trouble: list[str] = []

    async def visit(*, base: str = world.base, route: tuple[str, Handler] | None = None) -> Page:
        page = await context.new_page()
        if route:
            await page.route(*route)
        page.set_default_timeout(5000)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda line: trouble.append(line.text) if line.type == "error" else None)
        await page.goto(base)
        await expect(page.locator("#link.on")).to_be_visible()
        return page

    yield visit
    for page in context.pages:
        await page.close()
    assert [line for line in trouble if not LOST.search(line)] == []


@pytest_asyncio.fixture(loop_scope="module")
async def echo(world: Client) -> AsyncIterator[None]:
    """A bot that repeats what a resident says over a button, and reacts to the button."""
    task = asyncio.create_task(poll(world))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def poll(world: Client) -> None:
    offset = 0
    while True:
        for update in await world.bot("getUpdates", timeout=20, offset=offset):
            offset = update["update_id"] + 1
            await answer(world, update)


async def answer(world: Client, update: JSON) -> None:
    if query := update.get("callback_query"):
        message = query["message"]
        await world.bot("answerCallbackQuery", callback_query_id=query["id"], text="记下了")
        where = {"chat_id": message["chat"]["id"], "message_id": message["message_id"]}
        await world.bot("editMessageText", **where, text=f"{query['from']['first_name']}已确认")
    elif (message := update.get("message")) and message["chat"]["type"] == "private":
        more = {} if message["text"].startswith("/") else {"reply_markup": CONFIRM}
        await world.bot("sendMessage", chat_id=message["chat"]["id"], text=f"收到：{message['text']}", **more)


async def make_community(world: Client) -> tuple[int, int, int]:
    """A resident who has started the bot, a member of staff, and the staff's group."""
    resident = await world.make_user("王秀英", language_code="zh-hans")
    await world.say(resident, "/start")
    colleague = await world.make_user("小张")
    group = await world.post("/groups", title="阳光花园", members=[], admins=[colleague])
    return resident, colleague, int(group["id"])


def phone(page: Page) -> Locator:
    return page.locator("#phone")


def desk(page: Page) -> Locator:
    return page.locator("#staff")


async def type_and_send(side: Locator, text: str) -> None:
    await side.locator("textarea").fill(text)
    await side.locator("textarea").press("Enter")


async def test_a_resident_sees_the_bots_answer_as_it_comes(world: Client, echo, open_page):
    await make_community(world)
    page = await open_page()

    await type_and_send(phone(page), "水管漏了")

    await expect(phone(page).get_by_role("article").last).to_contain_text("收到：水管漏了")


async def test_a_first_chat_begins_with_the_start_key(world: Client, echo, open_page):
    await world.make_user("王秀英")
    page = await open_page()
    await expect(phone(page).get_by_role("log")).to_be_empty()

    await phone(page).get_by_role("button", name="开始", exact=True).click()

    await expect(phone(page).get_by_role("article").last).to_contain_text("收到：/start")
    await expect(phone(page).get_by_role("textbox")).to_be_focused()


async def test_a_tap_on_an_inline_button_changes_the_message(world: Client, echo, open_page):
    await make_community(world)
    page = await open_page()
    await type_and_send(phone(page), "下午三点")

    await phone(page).get_by_role("button", name="确认").click()

    last = phone(page).get_by_role("article").last
    await expect(last).to_contain_text("王秀英已确认")
    await expect(last).to_contain_text("已编辑")
    await expect(last.get_by_role("button", name="确认")).to_have_count(0)
    await expect(page.locator("#notices")).to_contain_text("记下了")


async def test_a_tap_the_bot_answers_with_an_alert_waits_to_be_read(world: Client, open_page):
    resident, _, _ = await make_community(world)
    await world.bot("sendMessage", chat_id=resident, text="三点？", reply_markup=CONFIRM)
    page = await open_page()
    key = phone(page).get_by_role("button", name="确认")
    await key.click()
    await expect(key).to_have_attribute("aria-busy", "true")

    (update,) = (u for u in await world.updates() if "callback_query" in u)
    query = update["callback_query"]["id"]
    await world.bot("answerCallbackQuery", callback_query_id=query, text="太晚了", show_alert=True)

    await expect(page.get_by_role("dialog")).to_contain_text("太晚了")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_message_in_another_topic_is_unread_until_the_topic_is_opened(world: Client, open_page):
    _, _, group = await make_community(world)
    thread = await world.make_topic(group, "3-2-501")
    page = await open_page()
    await expect(desk(page).get_by_role("option", name="综合")).to_have_attribute("aria-selected", "true")

    await world.bot("sendMessage", chat_id=group, message_thread_id=thread, text="住户：有人吗")
    await world.bot("sendMessage", chat_id=group, message_thread_id=thread, text="住户：在吗")

    topic = desk(page).get_by_role("option", name="3-2-501, 2 条未读")
    await expect(topic).to_contain_text("在吗")
    await topic.click()
    await expect(desk(page).get_by_role("article").last).to_contain_text("在吗")
    await expect(desk(page).get_by_role("option", name="3-2-501", exact=True)).to_be_visible()


async def test_a_command_in_a_topic_is_offered_and_sent_there(world: Client, open_page):
    _, colleague, group = await make_community(world)
    thread = await world.make_topic(group, "3-2-501")
    page = await open_page()
    await desk(page).get_by_role("option", name="3-2-501").click()

    await desk(page).get_by_role("textbox").press_sequentially("/do")
    await expect(desk(page).get_by_role("option", name="/done")).to_have_attribute("aria-selected", "true")
    await desk(page).get_by_role("textbox").press("Enter")

    await expect(desk(page).get_by_role("article").last).to_contain_text("/done")
    message = (await world.updates())[-1]["message"]
    assert (message["text"], message["message_thread_id"], message["from"]["id"]) == (
        "/done",
        thread,
        colleague,
    )


async def test_a_new_topic_a_closed_one_and_a_deleted_one_are_seen_at_once(world: Client, open_page):
    _, _, group = await make_community(world)
    page = await open_page()

    thread = await world.make_topic(group, "5-1-1201")
    await expect(desk(page).get_by_role("option", name="5-1-1201")).to_be_visible()
    await world.bot("closeForumTopic", chat_id=group, message_thread_id=thread)
    await expect(desk(page).get_by_role("option", name="5-1-1201")).to_have_accessible_name(re.compile("已关闭"))
    await world.bot("deleteForumTopic", chat_id=group, message_thread_id=thread)

    await expect(desk(page).get_by_role("option", name="5-1-1201")).to_have_count(0)


async def test_switching_residents_shows_the_others_phone_in_its_language(world: Client, open_page):
    first, _, _ = await make_community(world)
    second = await world.make_resident("Emma", language_code="en")
    await world.bot("sendMessage", chat_id=first, text="早上好")
    await world.bot("sendMessage", chat_id=second, text="Good morning")
    page = await open_page()
    await expect(phone(page).get_by_role("article").last).to_contain_text("早上好")
    await world.bot("sendMessage", chat_id=second, text="Anybody there?")

    await page.get_by_role("radio", name="Emma, 1 条未读").click()

    await expect(phone(page).get_by_role("article").last).to_contain_text("Anybody there?")
    await expect(phone(page)).not_to_contain_text("早上好")
    await expect(phone(page).get_by_role("textbox", name="Message")).to_be_visible()
    await expect(page.get_by_role("radio", name="Emma", exact=True)).to_be_checked()


async def test_people_are_added_on_both_sides(world: Client, open_page):
    _, _, group = await make_community(world)
    page = await open_page()

    for button, name in (("添加住户", "李雷"), ("添加员工", "李师傅")):
        await page.get_by_role("button", name=button).click()
        await page.get_by_label("名字").fill(name)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("radio", name=name)).to_be_checked()

    (card,) = (chat for chat in await world.get("/chats") if chat["id"] == group)
    names = {user["id"]: user["first_name"] for user in await world.get("/users")}
    assert {names.get(member["user_id"]) for member in card["members"]} == {"小张", "李师傅", None}


async def test_the_fault_panel_injects_and_clears(world: Client, open_page):
    await make_community(world)
    page = await open_page()
    panel = page.get_by_role("region", name="故障")

    await panel.get_by_label("种类").select_option("error_429")
    await panel.get_by_label("方法").fill("sendMessage")
    await panel.get_by_label("次数").fill("2")
    await panel.get_by_role("button", name="注入").click()

    await expect(panel.get_by_role("listitem")).to_contain_text("429 限流 · sendMessage")
    (fault,) = (await world.get("/faults"))["active"]
    wanted = {"kind": "error_429", "method": "sendMessage", "count": 2, "retry_after": 5}
    assert wanted.items() <= fault.items()
    await panel.get_by_role("button", name="全部清除").click()
    await expect(panel.get_by_role("listitem")).to_have_text("一切正常")
    assert (await world.get("/faults"))["active"] == []


async def test_the_clock_advances_and_goes_back(world: Client, open_page):
    await make_community(world)
    page = await open_page()
    panel = page.get_by_role("region", name="时钟")
    await expect(panel).to_contain_text("真实时间")

    await panel.get_by_role("button", name="+1 天").click()
    await expect(panel).to_contain_text("+1 天", timeout=20_000)
    await expect(phone(page).get_by_text("昨天")).to_be_visible()
    await panel.get_by_label("前进多少").fill("2")
    await panel.get_by_role("button", name="前进", exact=True).click()

    await expect(panel).to_contain_text("+1 天 2 小时")
    assert (await world.get("/clock"))["offset"] == 26 * 3600
    await panel.get_by_role("button", name="归零").click()
    await expect(panel).to_contain_text("真实时间")


async def test_a_long_way_is_walked_so_that_what_is_due_on_it_keeps_its_order(world: Client, open_page):
    """One leap over a week would meet call-back, reminder and the call after it on the same day, all too late."""
    page = await open_page()
    panel = page.get_by_role("region", name="时钟")
    moves: list[float] = []
    page.on("request", lambda call: moves.append(call.post_data_json["advance"]) if "/clock" in call.url else None)
    await page.clock.install()

    await panel.get_by_role("button", name="+1 天").click()
    for number in range(1, 5):
        async with asyncio.timeout(20):
            while len(moves) < number:
                await page.clock.run_for(500)
        await expect(panel).to_contain_text(f"{number * 6 % 24 or 1} ")
    await page.clock.run_for(5_000)

    assert moves == [6 * 3600] * 4


async def test_the_clock_jumps_to_the_next_morning(world: Client, open_page):
    """The quiet hours are over, and the desk is open."""
    page = await open_page()
    panel = page.get_by_role("region", name="时钟")

    await panel.get_by_role("button", name="明早 9 点").click()

    await expect(panel.locator("#now")).to_contain_text("09:00", timeout=20_000)


async def test_a_whole_conversation_needs_no_mouse(world: Client, echo, open_page):
    await world.make_user("王秀英")
    page = await open_page()
    articles = phone(page).get_by_role("article")

    await page.keyboard.press("Alt+r")
    await page.keyboard.press("Enter")
    await expect(phone(page).get_by_role("textbox")).to_be_focused()
    await page.keyboard.type("第一行")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("第二行")
    await page.keyboard.press("Enter")
    await expect(articles.last).to_contain_text("收到：第一行\n第二行")
    await page.keyboard.press("Shift+Tab")  # the paper clip
    await page.keyboard.press("Shift+Tab")  # the menu of the last message
    await page.keyboard.press("Shift+Tab")  # its button
    await page.keyboard.press("Enter")
    await expect(articles.last).to_contain_text("已确认")


async def test_the_menu_of_a_message_is_reached_and_left_by_keyboard(world: Client, open_page):
    resident, _, _ = await make_community(world)
    await world.say(resident, "厨房")
    page = await open_page()
    await phone(page).get_by_role("article").last.focus()

    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.keyboard.press("Escape")

    await expect(page.get_by_role("menu")).to_have_count(0)
    await expect(phone(page).get_by_role("article").last).to_be_focused()


async def test_the_menu_of_a_message_reacts_edits_and_replies(world: Client, open_page):
    resident, _, _ = await make_community(world)
    await world.bot("sendMessage", chat_id=resident, text="几点方便？")
    await world.say(resident, "三点")
    page = await open_page()
    articles = phone(page).get_by_role("article")

    await articles.filter(has_text="几点方便").click(button="right")
    await page.get_by_role("menuitemcheckbox", name="👍").click()
    await expect(phone(page).get_by_role("button", name="👍 1")).to_be_visible()
    await phone(page).get_by_role("textbox").press("ArrowUp")
    await type_and_send(phone(page), "四点")
    await expect(articles.last).to_contain_text("四点已编辑")
    await articles.filter(has_text="几点方便").first.click(button="right")
    await page.get_by_role("menuitem", name="回复").click()
    await type_and_send(phone(page), "家里有人")

    await expect(articles.last.get_by_role("button", name="小管家 几点方便")).to_be_visible()
    *_, edited, reply = await world.updates()
    assert edited["edited_message"]["text"] == "四点"
    assert reply["message"]["reply_to_message"]["text"] == "几点方便？"


async def test_a_reply_keyboard_is_big_keys_that_speak_for_the_resident(world: Client, open_page):
    resident, _, _ = await make_community(world)
    rows = [[{"text": "报修"}, {"text": "缴费"}], [{"text": "分享手机号", "request_contact": True}]]
    await world.bot("sendMessage", chat_id=resident, text="请选择", reply_markup={"keyboard": rows})
    page = await open_page()
    keys = phone(page).get_by_role("group", name="按键面板")

    await keys.get_by_role("button", name="报修").click()
    await expect(phone(page).get_by_role("article").last).to_contain_text("报修")
    await keys.get_by_role("button", name="分享手机号").click()
    await expect(phone(page).get_by_role("article").last).to_contain_text("+86138")
    await world.bot("sendMessage", chat_id=resident, text="谢谢", reply_markup={"remove_keyboard": True})

    await expect(keys).to_be_hidden()


async def test_attachments_are_sent_and_shown(world: Client, open_page):
    await make_community(world)
    page = await open_page()

    for entry, kind in (
        ("示例照片", "photo"),
        ("示例语音", "voice"),
        ("位置", "location"),
        ("分享我的手机号", "contact"),
    ):
        await phone(page).get_by_role("button", name="添加附件").click()
        await page.get_by_role("menuitem", name=entry).click()

        await expect(phone(page).get_by_role("article").last.locator(f".{kind}")).to_be_visible()
        assert kind in (await world.updates())[-1]["message"]


async def test_no_kind_of_message_is_an_empty_bubble(world: Client, open_page):
    """Also those the page has no picture of."""
    resident, _, _ = await make_community(world)
    page = await open_page()
    story = {"story": {"chat": {"id": -1002, "type": "channel", "title": "新闻"}, "id": 4}}
    contents: list[dict[str, object]] = [
        {"live_photo": {}},
        {"venue": {"title": "北门", "address": "花园路"}},
        {"location": {"live_period": 900}},
        {"other": story},
    ]

    for content, shown in zip(contents, ("", "北门", "实时", "动态"), strict=True):
        await world.say(resident, **content)
        last = phone(page).get_by_role("article").last

        await expect(last.locator(".media, .card")).to_be_visible()
        await expect(last).to_contain_text(shown)


async def test_a_blocked_bot_is_let_in_again(world: Client, open_page):
    resident, _, _ = await make_community(world)
    page = await open_page()

    await phone(page).get_by_role("button", name="菜单").click()
    await page.get_by_role("menuitem", name="停用机器人").click()
    await expect(phone(page).get_by_role("textbox")).to_be_hidden()
    refused = await world.refusal("sendMessage", chat_id=resident, text="在吗")
    await phone(page).get_by_role("button", name="重新启用").click()

    await expect(phone(page).get_by_role("textbox")).to_be_visible()
    assert refused.code == 403


async def test_typing_is_shown_until_the_message_comes(world: Client, open_page):
    resident, _, _ = await make_community(world)
    page = await open_page()

    await world.bot("sendChatAction", chat_id=resident, action="typing")
    await expect(phone(page).get_by_text("正在输入")).to_be_visible()
    await world.bot("sendMessage", chat_id=resident, text="来了")

    await expect(phone(page).get_by_role("article").last).to_contain_text("来了")
    await expect(phone(page).get_by_text("正在输入")).to_have_count(0)


async def test_the_language_of_the_page_is_switched_and_remembered(world: Client, open_page):
    await make_community(world)
    page = await open_page()
    await expect(page.get_by_role("region", name="住户的手机")).to_be_visible()

    await page.get_by_role("button", name="English").click()
    await page.reload()

    await expect(page.get_by_role("region", name="Resident's phone")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(desk(page).get_by_role("option", name="General")).to_be_visible()
    await expect(phone(page).get_by_role("textbox", name="输入消息")).to_be_visible()  # the phone is the resident's


async def test_what_people_write_stays_text(world: Client, open_page):
    """Names, topics, buttons and links come from strangers."""
    resident = await world.make_resident(HOSTILE[:60])
    group = await world.make_group(await world.make_user("小张"), admins=[])
    await world.make_topic(group, HOSTILE)
    link = [{"type": "text_link", "offset": 0, "length": 4, "url": "javascript:window.hit=1"}]
    keyboard = {"inline_keyboard": [[{"text": HOSTILE, "callback_data": "x"}]]}
    await world.bot("sendMessage", chat_id=resident, text=f"link {HOSTILE}", entities=link, reply_markup=keyboard)
    page = await open_page()

    await expect(phone(page).get_by_role("article").last).to_contain_text(HOSTILE)
    await expect(phone(page).get_by_role("button", name=HOSTILE)).to_be_visible()
    await expect(desk(page).get_by_role("option", name=HOSTILE)).to_be_visible()

    assert await page.locator("img[src=x], a[href^=javascript]").count() == 0
    assert await page.evaluate("window.hit") is None


async def test_what_was_missed_while_the_line_was_down_is_fetched(world: Client, open_page):
    resident, _, _ = await make_community(world)
    line = Line(world.base)
    page = await open_page(base=await line.up())
    await line.down()
    await expect(page.get_by_text("正在重新连接")).to_be_visible()

    await world.bot("sendMessage", chat_id=resident, text="错过的消息")
    await line.up()

    await expect(phone(page).get_by_role("article").last).to_contain_text("错过的消息")
    await expect(page.get_by_text("实时", exact=True)).to_be_visible()
    await line.down()


async def test_what_comes_while_a_chat_is_being_read_is_not_lost(world: Client, open_page):
    """The answer of a slow read is older than what the events told meanwhile."""
    resident, *_ = await make_community(world)
    read, go_on = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        answer = await route.fetch()
        read.set()
        await go_on.wait()
        await route.fulfill(response=answer)

    page = await open_page(route=(f"**/sim/chats/{resident}/messages*", hold))
    await asyncio.wait_for(read.wait(), 5)
    await world.bot("sendMessage", chat_id=resident, text="师傅出发了")
    await expect(phone(page).get_by_role("article").last).to_contain_text("师傅出发了")
    async with page.expect_response(f"**/sim/chats/{resident}/messages*"):
        go_on.set()

    await expect(phone(page).get_by_role("article")).to_have_count(2)
    await expect(phone(page).get_by_role("article").last).to_contain_text("师傅出发了")


async def test_a_key_pressed_right_after_turning_to_a_topic_is_meant_for_it(world: Client, open_page):
    """Nobody waits for a page to be drawn before typing on."""
    _, _, group = await make_community(world)
    await world.make_topic(group, "3-2-501")
    page = await open_page()
    await expect(desk(page).get_by_role("option", name="3-2-501")).to_be_visible()

    await page.evaluate(
        """() => {
            document.querySelector("#topic-list [role=option]:last-child").click();
            const area = document.querySelector("#staff textarea");
            area.value = "好的";
            area.dispatchEvent(new Event("input"));
        }"""
    )

    await expect(desk(page).get_by_role("option", name="3-2-501")).to_have_attribute("aria-selected", "true")
    await expect(desk(page).get_by_role("textbox")).to_have_value("好的")


async def test_an_empty_world_offers_a_sample_community(world: Client, open_page):
    page = await open_page()

    await page.get_by_role("button", name="布置示例小区").click()

    await expect(page.get_by_role("radio", name="王秀英")).to_be_checked()
    await expect(page.get_by_role("radio", name="管家小张")).to_be_checked()
    await expect(phone(page).get_by_role("button", name="开始", exact=True)).to_be_visible()


async def test_with_two_bots_each_has_its_own_chats(server, open_page):
    async with aiohttp.ClientSession() as http:
        both = Client(server, http)
        await both.post("/reset")
        resident = await both.make_resident()
        await both.say(resident, "/start", token="100002")
        await both.bot("sendMessage", chat_id=resident, text="我是一号")
        page = await open_page(base=server)
        await expect(phone(page).get_by_role("article").last).to_contain_text("我是一号")

        await both.bot("sendMessage", chat_id=resident, text="我是二号", token="100002:OTHERTOKEN")
        await both.bot("sendMessage", chat_id=resident, text="还是一号")
        await expect(phone(page).get_by_role("article").last).to_contain_text("还是一号")
        await expect(phone(page)).not_to_contain_text("我是二号")
        await page.get_by_role("combobox", name="机器人").select_option("100002")

        await expect(phone(page).get_by_role("article").last).to_contain_text("我是二号")


async def test_the_page_never_scrolls_sideways(world: Client, open_page):
    await make_community(world)
    page = await open_page()

    for width in (390, 768, 1024, 1280):
        await page.set_viewport_size({"width": width, "height": 800})

        assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_every_button_and_field_has_a_name(world: Client, open_page):
    resident, _, group = await make_community(world)
    await world.say(resident, voice={})
    await world.make_topic(group)
    page = await open_page()
    await expect(phone(page).locator(".voice")).to_be_visible()

    tree = await page.locator("body").aria_snapshot()

    wanted = r"^\s*- (button|textbox|combobox|spinbutton|radio|option|region|log|radiogroup)\b(?! \").*$"
    assert re.findall(wanted, tree, re.MULTILINE) == []
    assert len(re.findall(r"- button \"", tree)) > 10


async def test_the_shortcuts_are_listed(world: Client, open_page):
    page = await open_page()

    await page.keyboard.press("?")

    await expect(page.get_by_role("dialog", name="快捷键")).to_contain_text("Alt + R")


async def test_every_word_the_page_shows_is_in_the_table():
    """A missing label would be shown as its key."""
    known = set(re.findall(r"^  (\w+): \[", (WEB / "labels.js").read_text("utf-8"), re.MULTILINE))
    scripts = "".join(path.read_text("utf-8") for path in WEB.glob("*.js"))
    used = set(re.findall(r'(?:words|say)\((?:[\w.]+, )?"(\w+)"', scripts))
    used |= set(re.findall(r'data-(?:label|name)="(\w+)"', (WEB / "index.html").read_text("utf-8")))

    assert used - known == set()
