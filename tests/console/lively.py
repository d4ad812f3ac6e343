"""A month of a community in which much happens, as rows: for pictures, and for charts that have something to show."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from service import cases, sign_in, takeover
from service.models.cases import Case, CaseClock, CaseState
from service.models.follow_ups import CallBack, FollowUpState, Outcome, Survey
from service.models.people import Duty, Role
from service.models.talks import Conversation, Message
from service.models.understanding import Activation, Candidate, CandidateReason, CandidateState, LanguageModel
from tests.stage import NOON, Stage

NAMES = (
    "王芳",
    "李强",
    "张伟",
    "刘洋",
    "陈静",
    "杨帆",
    "赵敏",
    "黄磊",
    "周杰",
    "吴倩",
    "徐丽",
    "孙浩",
    "Emma",
    "Oliver",
)
KINDS = ("repair",) * 6 + ("complaint",) * 2 + ("inquiry", "request_service")
CATEGORIES = ("water",) * 5 + ("electricity",) * 4 + ("lift", "lift", "heating", "noise", "other")
OPEN = (  # minutes ago, and what it is
    (300, "厨房水管漏水"),
    (250, "卫生间插座没电"),
    (180, "二号电梯按钮失灵"),
    (90, "楼道垃圾没人清理"),
    (35, "门禁刷卡没反应"),
    (12, "暖气不热"),
)
STARS = (5, 5, 5, 5, 4, 4, 4, 3, 2)
OUTCOMES = (Outcome.HELD,) * 6 + (Outcome.PARTLY, Outcome.NOT_HELD)
BUSY = (7, 8, 8, 9, 9, 10, 11, 12, 14, 15, 17, 18, 19, 19, 20, 20, 21, 22)  # hours on the community's clock
SCORES = ((0.842, 0.871), (0.889, 0.902), (0.918, 0.921))


def a_month(stage: Stage, *, now: datetime, closed: int = 240, said: int = 900) -> str:
    """Fill it, the last day at the board's; gives the token of a manager's link.

    Args:
        stage: an empty community.
        now: the moment at which it is looked at, some hours after `NOON`.
        closed: cases of the days before.
        said: messages of those days.
    """
    dice = Random(7)
    talks = [
        stage.resident(display_name=name, place=f"{place % 5 + 1}栋{place % 3 + 1}单元{place + 3}01")
        for place, name in enumerate(NAMES)
    ]
    department_id = _today(stage, talks, now=now)
    month = [_case(dice, stage, dice.choice(talks), f"A{number}", department_id) for number in range(closed)]
    stage.session.add_all(month)
    stage.session.flush()
    for case in month:
        stage.session.add_all(_aftermath(dice, case))
    stage.session.add_all(_message(dice, talks) for _ in range(said))
    stage.session.add_all(_unclear(dice, stage, number) for number in range(40))
    _serve(stage)
    rated = stage.session.query(Survey).order_by(Survey.id.desc()).limit(9)
    for survey in rated:
        survey.answered_at = now - timedelta(hours=1)
    return sign_in.make_link(stage.session, stage.member(Role.MANAGER), now=now)


def _some_time(dice: Random) -> datetime:
    """Within the month, at an hour at which people are awake; NOON is 12:00 on their clock."""
    return NOON - timedelta(days=dice.randrange(1, 29), hours=12 - dice.choice(BUSY), minutes=-dice.randrange(60))


def _case(dice: Random, stage: Stage, talk: Conversation, number: str, department_id: int) -> Case:
    return Case(
        community_id=stage.community.id,
        number=number,
        conversation_id=talk.id,
        resident_id=talk.resident_id,
        department_id=department_id,
        source=f"month:{number}",
        kind=dice.choice(KINDS),
        category=dice.choice(CATEGORIES),
        state=CaseState.CLOSED,
        urgency=0,
        resolution=1,
        matter="厨房水管漏水",
        place=talk.resident.place,
        opened_at=_some_time(dice),
    )


def _aftermath(dice: Random, case: Case) -> list[CaseClock | CallBack | Survey]:
    """Its clocks, most of them kept; the call-back and the stars, where somebody answered."""
    at = case.opened_at
    late_one_in = {"accept": 20, "arrive": 9, "finish": 6}
    rows: list[CaseClock | CallBack | Survey] = []
    for hours, (clock, one_in) in enumerate(late_one_in.items(), start=1):
        due = at + timedelta(hours=2 * hours)
        stopped = due + timedelta(minutes=20 if dice.randrange(one_in) == 0 else -30)
        rows.append(CaseClock(case_id=case.id, clock=clock, run=1, started_at=at, due_at=due, stopped_at=stopped))
    said = {"case_id": case.id, "resolution": 1, "state": FollowUpState.ANSWERED}
    if dice.randrange(3):
        rows.append(CallBack(**said, due_at=at, outcome=dice.choice(OUTCOMES)))
    if dice.randrange(5) < 2:
        rows.append(Survey(**said, asked_at=at, answered_at=at, stars=dice.choice(STARS)))
    return rows


def _message(dice: Random, talks: list[Conversation]) -> Message:
    talk = dice.choice(talks)
    return Message(
        conversation_id=talk.id, author="resident", kind="text", text="厨房水管漏水了", said_at=_some_time(dice)
    )


def _unclear(dice: Random, stage: Stage, number: int) -> Candidate:
    return Candidate(
        community_id=stage.community.id,
        text="那个东西又那样了",
        language="zh",
        why=CandidateReason.REPHRASE,
        source=f"month:{number}",
        intent="repair",
        confidence=0.41,
        noticed_at=_some_time(dice),
        state=CandidateState.OPEN,
    )


def _serve(stage: Stage) -> None:
    for place, (chinese, english) in enumerate(SCORES):
        at = NOON - timedelta(days=28 - 13 * place)
        known = {"zh": chinese, "en": english}
        languages = {name: {"macro_f1": score, "messages": 900, "intents": {}} for name, score in known.items()}
        scores = {"measured": "m", "languages": languages}
        model = LanguageModel(
            name=f"guanjia-{place + 1}f3a9c2", data_hash="0", trained_at=at, trained_by="101", scores=scores
        )
        stage.session.add(model)
        stage.session.flush()
        stage.session.add(Activation(model_id=model.id, at=at, by="101"))


def _today(stage: Stage, talks: list[Conversation], *, now: datetime) -> int:
    """Who waits and what is open at the moment of the picture, and the butlers on duty; gives a department."""
    for minutes, talk in zip((47, 21, 6), talks, strict=False):
        at = now - timedelta(minutes=minutes)
        takeover.escalate(stage.session, talk, reason="asked", source=f"turn:{minutes}", now=at)
    for place, (minutes, matter) in enumerate(OPEN):
        told = cases.Facts(kind="repair", matter=matter, place=talks[place + 3].resident.place)
        at = now - timedelta(minutes=minutes)
        case = cases.open_case(stage.session, talks[place + 3], told, source=f"today:{place}", now=at)
        if minutes > 40:
            cases.advance(stage.session, case, cases.Event.ACCEPTED, actor="staff:101", key="taken", now=at)
    for name in ("陈管家", "林管家", "何管家"):
        member = stage.member()
        member.duty, member.display_name = Duty.ON, name
    return case.department_id
