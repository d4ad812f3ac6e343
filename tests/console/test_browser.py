"""The console in a real browser: by keyboard, on a phone, in the dark, and by the rules of accessibility."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ConsoleMessage, FilePayload, Page, ViewportSize, async_playwright, expect

from cli.demo import free_port
from console.app import make_app
from console.live import Live
from console.topics import DOORS
from service import candidates, db, model_reports, outbox, readings, shadows, sign_in, takeover, training
from service.candidates import Guess
from service.db import Sessions
from service.models.people import Resident, Role
from service.models.talks import Conversation
from service.models.understanding import Candidate, CandidateReason, CandidateState, Label, LanguageModel
from tests.answered import answered
from tests.console import lively, reports, town
from tests.stage import NOON, Stage

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
SHOTS = Path(__file__).parents[2] / "test-results" / "console"  # kept for a look; never committed
PHONE: ViewportSize = {"width": 375, "height": 740}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
LATER = NOON + timedelta(hours=8)


def find_browser() -> str:
    """The browser of this machine; its absence is an excuse for a laptop and not for CI."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium on this machine")
    return found or pytest.skip("no Chromium on this machine")


@pytest.fixture
async def served(sessions: Sessions, database_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """The console on a port of this machine, with news from the database."""
    port, live = free_port(), Live(db.url_for(database_url))
    url = f"http://127.0.0.1:{port}"
    app = make_app(sessions, url=url, now=lambda: LATER, news=live, models_dir=tmp_path)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    tasks = [asyncio.create_task(server.serve()), asyncio.create_task(live.listen())]
    while not server.started:
        await asyncio.wait(tasks, timeout=0.02)
    yield url
    live.end()
    server.should_exit = True
    await tasks[0]
    tasks[1].cancel()
    await asyncio.gather(tasks[1], return_exceptions=True)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A tab; no test may leave an error in its console, a broken rule of the CSP included."""
    trouble: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda line: trouble.append(line.text) if is_trouble(line) else None)
        yield page
        await browser.close()
    assert trouble == []


def is_trouble(line: ConsoleMessage) -> bool:
    """A form that comes back with what is wrong in it is an answer, also to a browser that calls it an error."""
    return line.type == "error" and "status of 422" not in line.text


def a_day(stage: Stage) -> str:
    """Somebody waits, something is late; gives the token of a manager's link."""
    talk = stage.resident(display_name="王芳", place="3栋2单元1201")
    takeover.escalate(stage.session, talk, reason="asked", source="turn:1", now=NOON)
    for name in ("李强", "赵敏"):
        stage.case(stage.resident(display_name=name))
    return sign_in.make_link(stage.session, stage.member(Role.MANAGER), now=LATER)


def somebody_waits(stage: Stage) -> None:
    talk = stage.resident(display_name="周杰")
    takeover.escalate(stage.session, talk, reason="asked", source="turn:2", now=LATER)


RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
LOOKS: tuple[tuple[str, ViewportSize, Any], ...] = (("desktop", DESKTOP, "light"), ("phone", PHONE, "dark"))


async def check_accessible(page: Page, name: str) -> None:
    """No violation of WCAG 2.1 A and AA; a picture of each look is kept."""
    problems = [problem async for problem in barriers(page, name)]
    assert problems == []


async def barriers(page: Page, name: str) -> AsyncIterator[str]:
    """What keeps somebody out, on a wide screen in the light and on a telephone in the dark."""
    for look, size, scheme in LOOKS:
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=scheme)
        found: Any = await Axe().run(page, options=RULES)
        if found.violations_count:
            yield f"{name} {look}: {found.generate_report()}"
        if await page.evaluate("document.documentElement.scrollWidth") > size["width"]:
            yield f"{name} is wider than a {look}"
        await page.screenshot(path=SHOTS / f"{name}-{look}.png", full_page=True)


# --- Every page there is ---------------------------------------------------------------------------------------------

WALKED = [door.path for door in DOORS if door.method == "GET" and door.path not in ("/live", "/charts/workbook")]
NO_PAGES = ("/content", "/small")  # pictures, not pages
MORE = {  # what one address alone does not show
    "letters-unread": "/letters?box=unread",
    "households": "/residents?list=households",
    "talks-found": "/talks?q=水管",
    "schedule-not-sent": "/schedule?list=not_sent",
    "charts-cases": "/charts/cases?of=kind&is=repair",
    "charts-messages": "/charts/messages?hour=12",
    "knowledge-entry": "/knowledge/entry?key=pool",
}
BARE = ("/charts/cases", "/charts/messages", "/knowledge/entry")  # nothing without a question


def walked(numbers: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """The name and the address of every page, with a thing on those that show one."""
    for path in WALKED:
        if path not in BARE and not path.endswith(NO_PAGES):
            name = path.replace("{id:int}", "one").replace("{token}", "link").strip("/").replace("/", "-")
            yield name or "board", town.address(path, numbers).replace("{token}", "abc")
    yield from MORE.items()


def a_town(stage: Stage) -> tuple[str, Mapping[str, int]]:
    token = lively.a_month(stage, now=LATER, closed=12, said=30)
    numbers = town.everything(stage, "厨房水管漏水，已经用毛巾垫着", who=stage.member())
    for model in stage.session.query(LanguageModel):
        model_reports.keep(stage.session, model, reports.report(0.9 + model.id / 100, f"漏水 {model.id}"), now=NOON)
    return token, numbers


async def test_every_page_can_be_used_by_everybody(served, page, committed):
    """In the light, in the dark, on a wide screen and on a telephone; a new page is walked by itself."""
    token, numbers = committed(a_town)
    await page.goto(f"{served}/enter/{token}")
    await page.get_by_role("button").click()
    await expect(page.get_by_role("heading", name="今日看板")).to_be_visible()

    problems = []
    for name, address in walked(numbers):
        answer = await page.goto(served + address, timeout=60_000)  # the first deck reads all training data
        problems += [] if answer and answer.ok else [f"{address} does not open"]
        problems += [problem async for problem in barriers(page, name)]
    assert problems == []


async def test_charts_are_read_with_eyes_by_screen_readers_and_on_a_phone(served, page, committed):
    """Bars beside their figures, each of which leads to its rows; these pictures stand in the README."""
    await page.goto(f"{served}/enter/{committed(lambda stage: lively.a_month(stage, now=LATER))}")
    await page.get_by_role("button").click()
    await expect(page.get_by_role("table", name="等待人工")).to_contain_text("王芳")
    await page.screenshot(path=SHOTS / "readme-board.png")

    await page.get_by_role("link", name="图表").click()
    await expect(page.get_by_role("table", name="时限达成")).to_contain_text("95")
    await page.screenshot(path=SHOTS / "readme-charts.png")
    await page.set_viewport_size(PHONE)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    satisfied = page.get_by_role("row", name="满意").get_by_role("link").first
    number = await satisfied.text_content()
    await satisfied.click()
    await expect(page.get_by_role("table", name="图表中的工单").get_by_role("row")).to_have_count(
        1 + min(50, int(number or 0))
    )


async def test_a_manager_signs_in_by_keyboard_and_sees_what_happens_as_it_does(served, page, committed):
    """The whole way: the link, one key, the board that renews itself, the log, English, out."""
    await page.goto(f"{served}/enter/{committed(a_day)}")
    await check_accessible(page, "sign-in")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="今日看板")).to_be_visible()
    await expect(page.get_by_role("table", name="等待人工")).to_contain_text("王芳")

    await page.get_by_role("link", name="王芳").focus()
    committed(somebody_waits)
    await expect(page.get_by_role("table", name="等待人工")).to_contain_text("周杰")
    await expect(page.get_by_role("link", name="王芳")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("link", name="周杰")).to_be_focused()

    await page.set_viewport_size(PHONE)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    await page.get_by_role("button", name="English").click()
    await page.get_by_role("link", name="Audit log").click()
    await page.wait_for_url(f"{served}/audit")  # loaded, and its script with it, which knows the key
    await page.keyboard.press("/")
    await page.keyboard.type("abc")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Staff number")).to_have_attribute("aria-invalid", "true")

    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    await check_accessible(page, "signed-out")


MESSAGES = int(os.environ.get("GUANJIA_LABELLED", "30"))  # more than one deck; docs/learning.md has the figures of 100
TIMED = """() => {
  window.taken = [];
  const deck = document.getElementById("deck");
  deck.dataset.timed = "yes";
  deck.addEventListener("keydown", () => {
    const [began, shown] = [performance.now(), deck.querySelector("[data-card]:not([hidden])")];
    requestAnimationFrame(() => {
      if (deck.querySelector("[data-card]:not([hidden])") !== shown) window.taken.push(performance.now() - began);
    });
  }, true);
}"""


def many_messages(stage: Stage) -> str:
    """As many messages as none is like another; gives the token of a butler's link."""
    for number in range(MESSAGES):
        text = "".join(chr(0x4E00 + (number * 997 + place * 4_567) % 20_000) for place in range(8))
        facts: dict[str, Any] = {"why": CandidateReason.LOW_MARGIN, "language": "zh", "now": NOON}
        guess = Guess("repair", 0.4, 0.1, "guanjia-1")
        candidates.notice(stage.session, stage.community.id, text, source=f"turn:{number}", guess=guess, **facts)
    return sign_in.make_link(stage.session, stage.member(), now=LATER)


async def test_messages_are_labelled_by_one_key_each(served, page, committed):
    """The bar: at most two presses and 200 ms a message, so that a hundred take less than three minutes."""
    await page.goto(f"{served}/enter/{committed(many_messages)}")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="今日看板")).to_be_visible()
    await page.goto(f"{served}/understanding")
    await page.goto(f"{served}/understanding/deck")

    left, presses, taken = MESSAGES, 0, []
    while left:
        await expect(page.locator("[data-card]:not([hidden])")).to_have_count(1)
        cards = await page.locator("[data-card]").count()
        await page.evaluate(TIMED)
        for number in range(cards - 1):
            await page.keyboard.press(("Enter", "2", "i")[number % 3])
        taken += await page.evaluate("window.taken")
        await page.keyboard.press("3")
        await expect(page.locator("#deck:not([data-timed])")).to_be_visible(timeout=60_000)  # once all is sent
        left, presses = left - cards, presses + cards

    await expect(page.get_by_text("没有待标注的消息。")).to_be_visible()
    states = committed(lambda stage: stage.session.query(Candidate.state).all())
    assert {state for (state,) in states} == {CandidateState.LABELLED, CandidateState.IGNORED}
    intents = committed(lambda stage: stage.session.query(Label.intent).all())
    assert {intent for (intent,) in intents} == {"repair", "complaint", "inquiry"}
    assert presses == MESSAGES
    assert sorted(taken)[len(taken) // 2] <= 200, taken  # milliseconds from the key to the next message on the screen
    (SHOTS / "labelling.txt").write_text(f"{MESSAGES} messages, {presses} keys, longest {max(taken):.0f} ms\n")


def asks_back(stage: Stage) -> None:
    [talk] = stage.session.query(Conversation).join(Conversation.resident).filter(Resident.display_name == "王芳")
    stage.hears(talk, "师傅几点到?", now=LATER)
    outbox.wake(stage.session)


async def test_a_butler_takes_over_from_the_browser_and_answers(served, page, committed):
    """From the board's link to the resident's chat, and what the resident says appears by itself."""
    await page.goto(f"{served}/enter/{committed(a_day)}")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="对话").click()
    await page.get_by_role("link", name="王芳").click()
    await expect(page.get_by_text("等待人工")).to_be_visible()

    await page.get_by_role("button", name="接手").click()
    await expect(page.get_by_text("您已接手")).to_be_visible()
    await page.get_by_label("回复住户").fill("您好,师傅已经出发。")
    await page.get_by_role("button", name="发给住户").click()

    transcript = page.get_by_role("list", name="对话记录")
    await expect(transcript).to_contain_text("您好,师傅已经出发。")
    await page.get_by_label("回复住户").fill("还没写完")
    committed(asks_back)
    await expect(transcript).to_contain_text("师傅几点到?")
    await expect(page.get_by_label("回复住户")).to_have_value("还没写完")
    rows = committed(lambda stage: [(row.kind, row.payload.get("text")) for row in stage.outbox() if row.chat_id > 0])
    assert rows[-1] == ("relay", "您好,师傅已经出发。")

    await page.get_by_role("link", name="工单", exact=True).first.click()
    await page.get_by_role("row", name="李强").get_by_role("link").click()
    await page.get_by_role("button", name="接单").click()
    await expect(page.get_by_text("已记录")).to_be_visible()
    await page.set_viewport_size(PHONE)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


WRONG = "楼栋,单元,房号,姓名\n3,2,1201,王芳\n3,2,,李雷\n"
RIGHT = "楼栋,单元,房号,姓名\n3,2,1201,王芳\n3,2,1202,李雷\n"


def roster(content: str) -> FilePayload:
    return {"name": "名册.csv", "mimeType": "text/csv", "buffer": content.encode()}


async def test_a_roster_with_a_mistake_is_mended_and_taken_over(served, page, committed):
    """By a manager; what is wrong stands with the number of its row, and what would change before anything does."""
    link = committed(lambda stage: sign_in.make_link(stage.session, stage.member(Role.MANAGER), now=LATER))
    await page.goto(f"{served}/enter/{link}")
    await page.get_by_role("button").click()
    await page.get_by_role("link", name="住户", exact=True).click()
    await page.get_by_role("link", name="导入名册").click()

    await page.get_by_label("名册文件").set_input_files(roster(WRONG))
    await page.get_by_role("button", name="先看一看").click()
    await expect(page.get_by_role("heading", name="1 处问题")).to_be_visible()
    await expect(page.get_by_role("row", name="3").last).to_be_visible()
    await page.get_by_label("名册文件").set_input_files(roster(RIGHT))
    await page.get_by_role("button", name="先看一看").click()
    await expect(page.get_by_text("共 2 人：新增 2")).to_be_visible()
    await page.get_by_role("button", name="写入").click()

    await expect(page.get_by_text("名册已写入")).to_be_visible()
    await expect(page.get_by_role("link", name="3栋2单元1202室")).to_be_visible()


async def test_a_butler_is_told_what_is_not_for_them(served, page, committed):
    """Neither in the menu nor by its address, and in words."""
    link = committed(lambda stage: sign_in.make_link(stage.session, stage.member(), now=LATER))
    await page.goto(f"{served}/enter/{link}")
    await page.get_by_role("button").click()
    await expect(page.get_by_role("link", name="操作记录")).to_have_count(0)

    refused = await page.request.get(f"{served}/audit")

    assert refused.status == 403
    assert "请找经理" in await refused.text()


async def test_without_scripts_everything_is_a_form_or_a_link(served, page, committed):
    """An old telephone, a browser that blocks them: links, taking over, answering and filters work all the same."""
    assert page.context.browser is not None
    plain = await (await page.context.browser.new_context(java_script_enabled=False)).new_page()
    await plain.goto(f"{served}/enter/{committed(a_day)}")
    await plain.get_by_role("button").click()
    await plain.get_by_role("link", name="王芳").click()
    await plain.get_by_role("button", name="接手").click()
    await plain.get_by_label("回复住户").fill("您好，师傅已经出发。")
    await plain.get_by_role("button", name="发给住户").click()

    await expect(plain.get_by_role("list", name="对话记录")).to_contain_text("您好，师傅已经出发。")
    await plain.get_by_role("link", name="工单", exact=True).first.click()
    await plain.get_by_text("更多条件").click()
    await plain.get_by_label("时限").select_option("1")
    await plain.get_by_role("button", name="筛选").click()
    await expect(plain.get_by_role("row", name="李强")).to_be_visible()


def taught(stage: Stage, folder: Path) -> str:
    """A model is served that hesitated over three messages; gives the token of a manager's link."""
    reports.old_is_served(stage, folder)
    facts: dict[str, Any] = {"why": CandidateReason.LOW_MARGIN, "language": "zh", "now": NOON}
    for number, text in enumerate(("排风机像开火车", "门禁刷不上", "楼道声控灯乱闪")):
        guess = Guess("repair", 0.4, 0.1, reports.OLD)
        candidates.notice(stage.session, stage.community.id, text, source=f"turn:{number}", guess=guess, **facts)
    return sign_in.make_link(stage.session, stage.member(Role.MANAGER), now=LATER)


def begins(stage: Stage) -> None:
    run = training.take(stage.session, now=LATER)
    assert run is not None
    training.tell(stage.session, run.id, step=3, steps=12, doing="measuring")


def made(stage: Stage, folder: Path) -> None:
    [run] = training.recent(stage.session)
    model = reports.new_is_measured(stage, folder, recall=1.0)
    training.finish(stage.session, run.id, model_id=model.id, now=LATER)


def reads_along(stage: Stage) -> None:
    answered(stage, "电梯又停了", model=reports.OLD)
    shadow = shadows.current(stage.session)
    assert shadow is not None
    [(number, _)] = readings.unread(stage.session, shadow, limit=9)
    readings.settle(stage.session, {number: ("urge", 0.6)})


async def test_from_a_label_to_a_served_model_and_back(served, page, committed, tmp_path):
    """What a manager does on a Tuesday. The trainer's part is played here; `make loop` has the real one, and Rasa."""
    await page.goto(f"{served}/enter/{committed(lambda stage: taught(stage, tmp_path))}")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="今日看板")).to_be_visible()
    await page.goto(f"{served}/understanding/deck", timeout=60_000)  # the first of a process reads every example
    for _ in range(3):
        await page.keyboard.press("1")
    await expect(page.get_by_text("没有待标注的消息。")).to_be_visible()

    await page.goto(f"{served}/models")
    await page.get_by_label("测评满多少天").fill("0")
    await page.get_by_role("button", name="把够久的标注转入训练").click()
    await expect(page.get_by_text("2 条用于训练，1 条用于测评")).to_be_visible()
    await page.get_by_role("button", name="训练新模型").click()
    await expect(page.get_by_text("排队中")).to_be_visible()
    committed(begins)
    await expect(page.get_by_role("progressbar")).to_have_attribute("value", "3")  # by itself
    committed(lambda stage: made(stage, tmp_path))
    await page.get_by_role("link", name="看 guanjia-new").click()
    await expect(page.get_by_text("没有变差的地方")).to_be_visible()
    await check_accessible(page, "model")

    await page.get_by_role("link", name="guanjia-new 旁听").click()
    await page.get_by_role("button", name="开始旁听").click()
    await expect(page.get_by_role("button", name="结束旁听")).to_be_visible()
    committed(reads_along)
    await expect(page.get_by_text("0/1")).to_be_visible()  # by itself
    await page.reload()
    await check_accessible(page, "shadow")
    await page.get_by_role("row", name="电梯又停了").get_by_role("button", name="催办").click()
    await expect(page.get_by_role("row", name="电梯又停了").get_by_role("button")).to_have_count(0)

    await page.get_by_role("link", name="模型 guanjia-new").click()
    await page.get_by_role("button", name="启用", exact=True).click()
    await expect(page.get_by_role("row", name="★ guanjia-new")).to_be_visible()
    await page.get_by_role("button", name="回到上一个模型").click()
    await expect(page.get_by_role("row", name="★ guanjia-old")).to_be_visible()
    await expect(page.get_by_role("table", name="切换记录")).to_contain_text("从 guanjia-new 退回")
