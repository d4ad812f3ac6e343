"""Every sentence comes from domain.yml, in the right language, and is never refused for want of a slot."""

import re
import unicodedata

import pytest
import yaml

from service import categories, texts
from service.emergency import EmergencyKind
from service.models.cases import CaseState

DOMAIN = yaml.safe_load(texts.DOMAIN.read_text("utf-8"))
RESPONSES = DOMAIN["responses"]
SURNAME = {"zh": "王先生，", "en": ", Mr Wang"}
FREQUENT = (
    "utter_thanks",
    "utter_goodbye",
    "utter_please_rephrase",
    "utter_choices",
    "utter_cancelled",
    "utter_anything_else",
    "utter_out_of_scope",
    "utter_ask_location",
    "utter_here",
    "utter_ask_repair_form_matter",
    "utter_ask_repair_form_matter_and_place",
    "utter_ask_complaint_form_matter",
    "utter_ask_complaint_form_matter_and_place",
    "utter_ask_inquiry_form_matter",
    "utter_ask_phone_and_time",
    "utter_ask_another_time",
    "utter_ask_phone",
    "utter_ask_confirmed",
    "utter_ask_change",
    "utter_case_opened",
    "utter_complaint_opened",
    "utter_info_passed_on",
    "utter_amended",
    "utter_case_media_added",
    "utter_urged",
    "utter_no_cases",
    "utter_already_waiting",
)
MOST_DATA = 40  # bytes of a payload; the bot adds the turn to it, Telegram allows 64
NORMS = {
    "utter_butler_greets": "您好,我是{staff_no}号员工,有什么事情愿意为您效劳的吗?",
    "utter_farewell": "{salutation}您慢走,我们会尽快解决您的问题的。",
    "utter_case_opened": "{salutation}您慢走,我们会尽快解决您的问题的。",
    "utter_complaint_opened": "{salutation}您慢走,我们会尽快解决您的问题的。",
    "utter_handoff": "请稍等,我了解情况后马上答复你。",
    "utter_taken_down_inquiry": "请稍等,我了解情况后马上答复你。",
    "utter_please_rephrase": "请重复一遍",
    "utter_waiting_courtesy": "已为您等候 {waited},正在为您联系小管家",
    "utter_call_back": "您好,{salutation}",
}


def variants(key, language):
    return [v for v in RESPONSES[key] if {"type": "slot", "name": "language", "value": language} in v["condition"]]


@pytest.mark.parametrize(("key", "words"), NORMS.items())
def test_the_standard_phrases_of_the_norms_are_verbatim(key, words):
    """N2, N4 to N7, W4; only the width of a comma is ours."""
    spoken = [unicodedata.normalize("NFKC", variant["text"]) for variant in variants(key, "zh")]

    assert all(unicodedata.normalize("NFKC", words) in text for text in spoken)


@pytest.mark.parametrize("key", FREQUENT)
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_what_is_said_often_has_three_ways(key, language):
    assert len(variants(key, language)) >= 3


@pytest.mark.parametrize("key", [key for key in RESPONSES if not key.startswith("utter_staff")])
def test_residents_are_addressed_politely(key):
    """Always 您 (N2); the one exception is the norm's own N6."""
    allowed = unicodedata.normalize("NFKC", NORMS["utter_handoff"])
    spoken = [unicodedata.normalize("NFKC", v["text"]).replace(allowed, "") for v in variants(key, "zh")]

    assert not any("你" in text for text in spoken)


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("key", [key for key in RESPONSES if "{salutation}" in str(RESPONSES[key])])
def test_a_sentence_reads_well_with_and_without_a_name(key, language):
    """Most residents have no surname on record; no sentence may limp for the want of it."""
    facts = dict.fromkeys(("number", "matter", "staff_no", "time_of_day", "community"), "x")

    for salutation in (SURNAME[language], ""):
        text = texts.say(key, language=language, salutation=salutation, **facts).text
        assert salutation.strip("，, ") in text
        assert not re.search(r"^[，,。.]|[，,] ?[，,。.！]|[。.] ?[，,]", text)


def test_payloads_are_short_and_plain():
    """A button's data is cut by nobody and understood by the bot only as an intent or one of its own forms."""
    payloads = {
        key["payload"]
        for responses in RESPONSES.values()
        for variant in responses
        for key in [*variant.get("buttons", ()), *variant.get("quick_replies", ())]
    }

    assert all(payload.isascii() and len(payload) <= MOST_DATA for payload in payloads)
    assert {p.removeprefix("/") for p in payloads if p.startswith("/")} <= set(DOMAIN["intents"])
    assert all(re.fullmatch(r"/[a-z_]+|[a-z]+:\{[a-z_]+\}:[a-z0-9_]+(?:\{[a-z_]+\})?", payload) for payload in payloads)


def test_every_kind_of_emergency_has_first_steps_and_numbers():
    """N11: fire, ambulance, police, the property office in every first answer; steps where it is clear what is."""
    for kind in EmergencyKind:
        for language in texts.LANGUAGES:
            text = texts.words(f"utter_emergency_{kind}", language=language, phone="0731-1")
            assert all(number in text for number in ("119", "120", "110", "0731-1"))
            assert all(f"\n{step}. " in text for step in (1, 2, 3)) or kind is EmergencyKind.OTHER
            assert texts.words(f"utter_word_emergency_{kind}", language=language)


def test_every_state_and_category_has_its_word():
    for language in texts.LANGUAGES:
        assert all(texts.words(f"utter_word_{state}", language=language) for state in CaseState)
        assert all(texts.words(f"utter_word_category_{key}", language=language) for key in categories.categories())


def test_the_same_seed_says_the_same():
    """A turn that is answered again must not be answered in other words."""
    said = {texts.say("utter_thanks", language="zh", seed="turn:1") for _ in range(5)}

    assert len(said) == 1


def test_buttons_are_filled_like_the_text():
    line = texts.say("utter_call_back", language="zh", call_back_id=7, number="R2611-0001", matter="水管")

    assert [button.data for button in line.buttons] == ["cb:7:held", "cb:7:partly", "cb:7:not_held"]


def test_words_of_residents_may_hold_braces():
    """Somebody writes {phone} or }{ in their complaint."""
    assert "}{ {phone}" in texts.words("utter_staff_edited", language="zh", text="}{ {phone}")


def test_the_keys_of_the_menu_stand_for_intents():
    assert texts.menu_words()["报修"] == "/repair"
    assert texts.menu_words()["Talk to a person"] == "/request_human"


def test_an_empty_slot_reads_as_nothing():
    assert "None" not in texts.say("utter_staff_card", language="zh", phone=None).text


def test_a_missing_response_is_a_bug():
    with pytest.raises(KeyError):
        texts.say("utter_nonsense", language="zh")


def test_a_line_is_not_said_in_the_words_of_the_last_one():
    """The same sentence twice running sounds like a machine that does not listen (N7)."""
    last = texts.say("utter_no_cases", language="zh", seed=7)

    now = texts.say("utter_no_cases", language="zh", seed=7, unlike=last.text)

    assert now.text != last.text


ASKED_AGAIN = ["utter_ask_location", "utter_ask_phone", "utter_ask_phone_and_time", "utter_ask_another_time",
               "utter_ask_confirmed", "utter_ask_change", "utter_info_passed_on", "utter_no_cases"]  # fmt: skip


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("key", ASKED_AGAIN)
def test_what_may_come_again_has_other_words_for_it(key, language):
    """A correction is said back at once, a question that was not answered is put again."""
    said = {texts.say(key, language=language, seed=seed).text for seed in range(30)}

    for text in said:
        others = {texts.say(key, language=language, seed=seed, unlike=text).text for seed in range(30)}
        assert not any(sentence in text for other in others for sentence in sentences(other))


def sentences(text: str) -> list[str]:
    """The sentences that are long enough to be noticed."""
    return [bare for part in re.split(r"[。！？!?\n]|\. ", text) if len(bare := part.strip()) >= texts.SHORT]
