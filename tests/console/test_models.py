"""Models in the browser: asked for, compared, served and taken back; the gate says what it refuses."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.trainer import AFTERWARDS, FAILURES
from console import texts
from console.app import make_app
from console.models import HOME
from service import language_models, model_reports, readings, shadows, training
from service.models.people import Role
from service.models.understanding import Activation, Label, Reading, ShadowEnd, TrainingRun, TrainingState
from tests.answered import answered
from tests.console import reports
from tests.console.conftest import URL, Quiet
from tests.stage import NOON, Stage


@pytest.fixture
def app(sessions, clock, tmp_path) -> Any:
    """The application with a folder of models."""
    return make_app(sessions, url=URL, now=clock.now, news=Quiet(), models_dir=tmp_path)


@pytest.fixture
def models(committed, tmp_path: Path) -> tuple[int, int]:
    """An active model, and one that misses an emergency more."""

    def known(stage: Stage) -> tuple[int, int]:
        old = reports.old_is_served(stage, tmp_path)
        return old.id, reports.new_is_measured(stage, tmp_path, recall=0.9, missed=(reports.MISSED,)).id

    found: tuple[int, int] = committed(known)
    return found


@pytest.fixture
def active(committed):
    """The name of the model that is served."""

    def name() -> str | None:
        def found(stage: Stage) -> str | None:
            model = language_models.active(stage.session)
            return model.name if model else None

        served: str | None = committed(found)
        return served

    return name


async def test_a_model_is_shown_beside_the_active_one_with_what_flipped_and_what_the_gate_says(signed_in, models):
    """Everything somebody has to know before they switch."""
    browser = await signed_in(Role.MANAGER)

    page = (await browser.get(f"{HOME}/{models[1]}")).text

    for shown in ("闸门", "「紧急」：召回从 1.000 降到 0.900（10 条）", "厨房有煤气味", "混淆矩阵", "校准误差", "95 %"):
        assert shown in page


PARTS = {"zh": "中文", "en": "英文", "emergency": "紧急情况", model_reports.SITE: "本站标注的消息"}


@pytest.mark.parametrize(("part", "name"), PARTS.items())
async def test_every_language_and_set_is_shown_by_itself(signed_in, models, part, name):
    """By intent, what flipped, confusions, calibration: of Chinese, English, emergencies and the site's messages."""
    browser = await signed_in(Role.MANAGER)

    page = (await browser.get(f"{HOME}/{models[1]}?part={part}")).text

    assert f"{name}各意图（10 条）" in page
    for table in ("混淆矩阵", "在用的 guanjia-old", "guanjia-new</h3>"):
        assert table in page
    assert ("厨房有煤气味" in page) is (part in {"zh", "emergency"})


async def test_the_gate_refuses_until_a_manager_says_why(signed_in, models, active, committed):
    """The reason is kept beside the switch."""
    browser = await signed_in(Role.MANAGER)
    path = f"{HOME}/{models[1]}/activate"

    refused = await browser.send_form(path)
    no_reason = await browser.send_form(path, force="yes", reason="  ")
    assert (refused.status_code, no_reason.status_code) == (422, 422)
    assert "没有切换" in refused.text
    assert active() == "guanjia-old"

    done = await browser.send_form(path, force="yes", reason="漏的那条标错了")

    assert done.status_code == 303
    assert active() == "guanjia-new"
    assert "漏的那条标错了" in (await browser.get(HOME)).text
    by = committed(lambda stage: [each.by for each in stage.session.query(Activation).order_by(Activation.id)])
    assert by[-1].startswith("staff:")


async def test_the_model_before_comes_back_with_one_click(signed_in, models, active):
    """Whoever switched on a bad one must be able to sleep."""
    browser = await signed_in(Role.MANAGER)
    await browser.send_form(f"{HOME}/{models[1]}/activate", force="yes", reason="试试")

    await browser.send_form(f"{HOME}/rollback")
    assert active() == "guanjia-old"
    assert "从 guanjia-new 退回" in (await browser.get(HOME)).text
    await browser.send_form(f"{HOME}/rollback")

    assert active() == "guanjia-old"
    assert "之前没有别的模型" in (await browser.get(HOME)).text


@pytest.mark.parametrize("force", [{}, {"force": "yes", "reason": "急"}])
async def test_a_file_that_is_gone_is_never_served(signed_in, models, active, tmp_path, force):
    """Rasa would keep the old one, and the page would say otherwise."""
    language_models.file_of(tmp_path, "guanjia-new").unlink()
    browser = await signed_in(Role.MANAGER)

    answer = await browser.send_form(f"{HOME}/{models[1]}/activate", **force)

    assert answer.status_code == 422
    assert active() == "guanjia-old"


async def test_nor_does_a_rollback_lead_to_a_file_that_is_gone(signed_in, models, active, tmp_path):
    browser = await signed_in(Role.MANAGER)
    await browser.send_form(f"{HOME}/{models[1]}/activate", force="yes", reason="试试")
    language_models.file_of(tmp_path, "guanjia-old").unlink()

    await browser.send_form(f"{HOME}/rollback")

    assert active() == "guanjia-new"
    assert "没有切换" in (await browser.get(HOME)).text


async def test_a_training_is_asked_for_once_shown_and_told_to_the_second_who_asks(signed_in, committed, clock):
    """The web never trains: a row waits for the trainer, and the page shows how far it is."""
    browser = await signed_in(Role.SUPERVISOR)

    await browser.send_form(f"{HOME}/train")
    clock.advance(timedelta(minutes=1))
    waiting = (await browser.get(HOME)).text
    await browser.send_form(f"{HOME}/train")
    again = (await browser.get(HOME)).text

    assert "排队中" in waiting
    assert "没有训练进程来接手" in waiting
    assert "已有一次训练在进行" in again
    assert committed(lambda stage: stage.session.query(TrainingRun).count()) == 1

    def takes(stage: Stage) -> None:
        run = training.take(stage.session, now=NOON)
        assert run is not None
        training.tell(stage.session, run.id, step=4, steps=12, doing="reading_active")

    committed(takes)
    running = (await browser.get(HOME)).text
    assert '<progress max="12" value="4"' in running
    assert "在用模型做考题" in running


async def test_a_training_nobody_has_begun_is_cancelled(signed_in, committed):
    """And then another one may be asked for."""
    browser = await signed_in(Role.SUPERVISOR)
    await browser.send_form(f"{HOME}/train")

    await browser.send_form(f"{HOME}/runs/1/cancel")
    await browser.send_form(f"{HOME}/train")

    states = committed(lambda stage: [run.state for run in stage.session.query(TrainingRun).order_by(TrainingRun.id)])
    assert states == [TrainingState.FAILED, TrainingState.QUEUED]


@pytest.mark.parametrize("days", ["", "-1", "soon", "99999", "²"])
async def test_days_that_are_no_number_are_shown_again(signed_in, days):
    browser = await signed_in(Role.SUPERVISOR)

    assert (await browser.send_form(f"{HOME}/promote", days=days)).status_code == 422


async def test_without_any_model_the_page_says_so(signed_in):
    browser = await signed_in()

    assert "还没有" in (await browser.get(HOME)).text
    assert (await browser.get(f"{HOME}/7")).status_code == 404


def test_every_failure_of_a_training_has_words():
    """A key nobody can read would stand on the page as an error of its own."""
    keys = [f"models.failure_{key}" for key in (*FAILURES.values(), training.CANCELLED, training.INTERRUPTED)]
    keys += [f"models.doing_{key}" for key in AFTERWARDS] + [f"models.state_{state}" for state in TrainingState]

    assert [key for key in keys if key not in texts.catalogue()] == []


async def test_a_model_whose_file_was_deleted_keeps_its_scores_and_is_not_offered(signed_in, models, tmp_path):
    """Old files go; the history of scores stays."""
    language_models.file_of(tmp_path, "guanjia-new").unlink()
    browser = await signed_in(Role.MANAGER)

    listed, page = (await browser.get(HOME)).text, (await browser.get(f"{HOME}/{models[1]}")).text

    assert "文件已删除" in listed
    assert "不能再启用" in page
    assert "/activate" not in page


async def test_a_candidate_is_had_read_along_on_its_page_and_says_where_it_differs(signed_in, models, committed):
    """Begun, read, labelled by one tap, ended: all on one page."""
    browser = await signed_in(Role.SUPERVISOR)
    page = f"{HOME}/{models[1]}/shadow"
    await browser.send_form(page)

    def reads(stage: Stage) -> int:
        shadow = shadows.current(stage.session)
        assert shadow is not None
        for words in ("电梯又停了", "厨房水管漏水"):
            answered(stage, words, model="guanjia-old")
        waiting = readings.unread(stage.session, shadow, limit=9)
        guesses = zip(waiting, ("urge", "repair"), strict=True)
        readings.settle(stage.session, {number: (guess, 0.61) for (number, _), guess in guesses})
        return waiting[0][0]

    number = committed(reads)
    shown = (await browser.get(page)).text
    for word in ("正在旁听", "1/2", "电梯又停了", "0.90", "0.61", f"/models/readings/{number}/label"):
        assert word in shown
    assert "厨房水管漏水" not in shown

    await browser.send_form(f"{HOME}/readings/{number}/label", intent="urge", next=page)
    labelled = (await browser.get(page)).text
    await browser.send_form(f"{page}/end")
    ended = (await browser.get(page)).text

    assert f"/models/readings/{number}/label" not in labelled
    assert committed(lambda stage: [label.intent for label in stage.session.query(Label)]) == ["urge"]
    assert "有人结束" in ended
    assert "正在旁听" not in ended
    assert "正在旁听" not in (await browser.get(HOME)).text


async def test_a_candidate_that_nobody_lets_read_says_so(signed_in, models, committed, clock):
    """In an installation without a trainer the figures would stand still, and nobody would know why."""
    browser = await signed_in(Role.SUPERVISOR)
    page = f"{HOME}/{models[1]}/shadow"
    await browser.send_form(page)
    committed(lambda stage: answered(stage, "电梯又停了"))

    at_first = (await browser.get(page)).text
    clock.advance(timedelta(minutes=11))
    later = (await browser.get(page)).text

    assert "没有训练进程来接手" not in at_first
    assert "没有训练进程来接手" in later


async def test_a_difference_may_be_something_else_altogether(signed_in, models, committed):
    """Then it is looked at like any message that is to be labelled, with its talk and its neighbours."""
    browser = await signed_in(Role.SUPERVISOR)
    await browser.send_form(f"{HOME}/{models[1]}/shadow")

    def reads(stage: Stage) -> int:
        answered(stage, "电梯又停了", model="guanjia-old")
        return stage.session.query(Reading).one().id

    answer = await browser.send_form(f"{HOME}/readings/{committed(reads)}/label", next=HOME)

    assert answer.status_code == 303
    assert "旁听的模型有不同判断" in (await browser.get(answer.headers["location"])).text


@pytest.mark.parametrize(("which", "told"), [(0, "这个模型正在使用"), (1, "没有切换")], ids=["served", "file gone"])
async def test_what_cannot_read_along_is_refused_with_the_reason(signed_in, models, tmp_path, which, told):
    browser = await signed_in(Role.SUPERVISOR)
    language_models.file_of(tmp_path, "guanjia-new").unlink()

    await browser.send_form(f"{HOME}/{models[which]}/shadow")

    assert told in (await browser.get(f"{HOME}/{models[which]}/shadow")).text


async def test_words_that_were_deleted_cannot_be_labelled_and_it_is_said(signed_in, models):
    """Somebody asked to be forgotten while the page was open."""
    browser = await signed_in(Role.SUPERVISOR)

    await browser.send_form(f"{HOME}/readings/7/label", intent="urge", next=HOME)

    assert "不能标注了" in (await browser.get(HOME)).text


def test_every_end_of_a_shadow_has_words():
    assert [end for end in ShadowEnd if f"shadows.why_{end}" not in texts.catalogue()] == []
