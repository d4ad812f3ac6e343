"""The entries that come with Guanjia: enough, in both languages, polite, and no law that was made up."""

import re
from collections import Counter
from itertools import islice

import pytest

from service import knowledge_base, knowledge_entries
from service.knowledge_entries import LONGEST_ANSWER
from service.knowledge_index import Index, Written
from service.models.knowledge import KnowledgeEntry
from service.texts import LANGUAGES
from tests.stage import NOON

BASE = knowledge_base.shipped()
ROWS = sorted(BASE.items())
FILLED = {"community", "phone", "desk_hours", "fee_per_m2"}  # the last one only where a community has written it
FLAT = re.compile(
    r"知道了|不行|不可能|不归我们管|没办法|不关我|不清楚|自己解决|等着|下班了|can'?t help|impossible|not our"
)

# The laws that may be named, and which of their articles; a law without articles may only be named as a whole.
LAWS = {
    "民法典": {188, *range(271, 288), 288, 293, 294, 296, *range(366, 372), 712, 713, 716, 725, 726, *range(937, 951)}
    | {1245, 1254},
    "物业管理条例": {6, 7, 13, 15, 16},
    "消防法": {18, 28},
    "噪声污染防治法": {64, 65, 66, 70, 88},
    "住宅室内装饰装修管理办法": {5, 6, 13, 32},
    "住宅专项维修资金管理办法": {7},
    "商品房屋租赁管理办法": {8, 14},
    "建设工程质量管理条例": {40},
    "动物防疫法": {30},
    "固体废物污染环境防治法": {49},
    "个人信息保护法": {45, 47},
    "高层民用建筑消防安全管理规定": {37},
    "最高人民法院关于人脸识别民事案件的规定（法释〔2021〕15号）": {10},
    "物业服务收费管理办法": set(),
    "城镇燃气管理条例": set(),
    "特种设备安全法": set(),
    "公共安全视频图像信息系统管理条例": set(),
}
LAW = re.compile(r"(?:《(.+?)》|(最高人民法院.+?）))([^《；]*)")


def laws_in(source):
    """Each law of a source with the articles named; a range names all it spans."""
    for book, ruling, articles in LAW.findall(source):
        numbers = set(map(int, re.findall(r"\d+", articles)))
        for first, last in re.findall(r"第(\d+)条至第(\d+)条", articles):
            numbers |= set(range(int(first), int(last) + 1))
        yield book or ruling, numbers


def test_there_is_an_answer_to_what_residents_ask_most():
    """Norm D: fees, parking, moving in, renovation, access, waste, pets, utilities, facilities, law, and more."""
    assert len(BASE) >= 120


@pytest.mark.parametrize(("key", "content"), ROWS, ids=[key for key, _ in ROWS])
def test_every_entry_is_fit_to_be_read(key, content):
    """Both languages with the same facts, short, polite, with a source, and found by several ways to ask."""
    assert set(LANGUAGES) <= set(content)
    assert "source" in content
    for language, fewest in zip(LANGUAGES, (4, 3), strict=True):
        told = content[language]
        wording = knowledge_entries.read(_row(key, content)).wordings[language]
        assert len(set(told["questions"])) >= fewest
        assert len(told["questions"][0]) <= 60, "a button shows it"
        assert len(told["answer"]) <= LONGEST_ANSWER
        assert not FLAT.search(told["answer"])
        assert wording.placeholders <= FILLED
    zh, en = (content[language] for language in LANGUAGES)
    assert len(zh.get("documents", ())) == len(en.get("documents", ()))
    assert ("contact" in zh) == ("contact" in en)


def test_every_law_that_is_named_is_one_we_have_looked_at():
    """An article that does not say so would be found out by the first resident who looks it up."""
    named = {key: content["source"]["zh"] for key, content in ROWS if content["source"]["kind"] == "law"}

    wrong = {
        key: source
        for key, source in named.items()
        if not list(laws_in(source)) or any(not articles <= LAWS.get(law, {-1}) for law, articles in laws_in(source))
    }

    assert wrong == {}


def test_a_law_is_named_with_the_same_articles_in_english():
    """Half of the residents would be sent to another article."""
    pairs = [content["source"] for _, content in ROWS if content["source"]["kind"] == "law"]

    uneven = [
        source
        for source in pairs
        if Counter(re.findall(r"(?<![〔\d])\d{1,4}(?=条)", source["zh"]))
        != Counter(re.findall(r"\d+", source["en"].partition("Article")[2]))
    ]

    assert uneven == []


def test_every_written_question_leads_to_its_own_entry():
    """An entry that hides another would never be found."""
    written = {key: [question for lang in LANGUAGES for question in told[lang]["questions"]] for key, told in ROWS}
    index = Index(Written(key, questions) for key, questions in written.items())

    hidden = [
        (key, question)
        for key, questions in written.items()
        for question in questions
        if key not in [near.key for near in islice(index.rank(question), 3)]
    ]

    assert hidden == []


def test_no_question_is_written_in_two_entries():
    """Which of them is meant could not be told."""
    counted = Counter(question for _, told in ROWS for lang in LANGUAGES for question in told[lang]["questions"])

    assert [question for question, count in counted.items() if count > 1] == []


def test_the_base_is_written_once(session):
    """Every start looks; only the first of a version writes."""
    first = knowledge_base.bring_up_to_date(session, now=NOON)

    assert (first, knowledge_base.bring_up_to_date(session, now=NOON)) == (len(BASE), 0)


def test_what_a_person_changed_in_the_base_outlives_a_new_version(session):
    """An operator's correction is not undone by an upgrade."""
    mine = {"zh": {"questions": ["能养狗吗"], "answer": "可以。"}}
    knowledge_entries.put(session, None, "pets", BASE["cctv"], by=f"{knowledge_base.SHIPPED} of old", now=NOON)
    knowledge_entries.put(session, None, "pets", mine, by="li", now=NOON)

    knowledge_base.bring_up_to_date(session, now=NOON)

    [newest, *_] = knowledge_entries.history(session, None, "pets")
    assert newest.content == mine


def test_an_entry_that_a_version_no_longer_brings_is_hidden(session):
    """Its history stays."""
    gone = {"zh": {"questions": ["旧问题"], "answer": "旧答案。"}}
    knowledge_entries.put(session, None, "gone", gone, by=f"{knowledge_base.SHIPPED} of old", now=NOON)

    knowledge_base.bring_up_to_date(session, now=NOON)

    assert [edit.content for edit in knowledge_entries.history(session, None, "gone")] == [{"withdrawn": True}, gone]


def _row(key, content):
    return KnowledgeEntry(key=key, content=content, community_id=None)
