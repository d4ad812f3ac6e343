"""Every sentence a person reads stands in domain.yml, in Chinese and English, and sounds like the service."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from string import Formatter
from typing import Any

import pytest
import yaml

from tests.house.tree import ROOT, need, parse, place, python_files, strings

ROOMS_THAT_SPEAK = ("service", "bot", "actions", "cli", "console")
HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")

# Files whose Chinese is data, not speech.
CHINESE_DATA = {
    "bot/arrivals.py": "words that make a fragment complete: they are matched, never said",
    "bot/handlers/undo.py": "a command that people type: it is matched, never said",
    "service/incident_words.py": "how staff write places and times: read, never said",
    "service/config.py": "defaults and examples of settings, which the operator replaces",
    "service/migrations/versions/0031_butlers_who_do_not_come_back.py": "thanks of before: matched, never said",
    "service/numerals.py": "numerals: they are read, never said",
    "service/where.py": "variants of characters: they are read, never said",
}
HARMLESS = re.compile(r"小管家|\u4e00-\u9fff|^\u4e00$|^\u9fff$")  # the product's name; the range of Chinese characters

# Norm N9: never a flat refusal. Part of a word does not count in English.
BANNED = (
    *map(
        re.escape,
        [
            "知道了",
            "不行",
            "不可能",
            "不归我们管",
            "没办法",
            "不关我",
            "不清楚",
            "不知道",
            "自己解决",
            "等着",
            "下班了",
        ],
    ),
    "能等.{0,3}吗",  # norm N5
    r"\bcan(?:'|’)?t help\b",
    r"\bcannot help\b",
    r"\bimpossible\b",
    r"\bnot our (?:job|problem|responsibility)\b",
    r"\bno way\b",
    r"\bcan you wait\b",
    r"\bI (?:do not|don't) know\b",
    r"\bnothing (?:we|I) can do\b",
)
KEY = re.compile(r"utter_[a-z0-9_]*")


@cache
def responses() -> dict[str, list[dict[str, Any]]]:
    """The responses of domain.yml."""
    loaded: dict[str, list[dict[str, Any]]] = yaml.safe_load(need("domain.yml").read_text("utf-8"))["responses"]
    return loaded


def languages(variant: dict[str, Any]) -> set[str]:
    """The languages a variant serves; without a condition it serves both."""
    named = {str(c["value"]) for c in variant.get("condition", ()) if c.get("name") == "language"}
    return named or {"zh", "en"}


def spoken(variant: dict[str, Any]) -> list[str]:
    """Everything of a variant that a person reads: the text and the titles on its keys."""
    keys = [*variant.get("buttons", ()), *variant.get("quick_replies", ())]
    return [variant.get("text", ""), *(key["title"] for key in keys)]


def slots(variant: dict[str, Any]) -> set[str]:
    """The names between braces."""
    return {name for text in spoken(variant) for _, name, _, _ in Formatter().parse(text) if name}


def payloads(variant: dict[str, Any]) -> list[str]:
    """What the keys of a variant do."""
    return [key["payload"] for key in [*variant.get("buttons", ()), *variant.get("quick_replies", ())]]


def payload_slots(variant: dict[str, Any]) -> set[str]:
    """The names between braces in what the buttons do; an intent's payload may carry JSON of its own."""
    return set(re.findall(r"\{([a-z_]+)\}", " ".join(payloads(variant))))


def patterns(tree: ast.Module) -> set[tuple[str, ast.AST]]:
    """The response keys a module names, as regular expressions: an f-string's holes match anything."""
    found: set[tuple[str, ast.AST]] = set()
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= set(node.values)
            pieces = [re.escape(str(p.value)) if isinstance(p, ast.Constant) else ".+" for p in node.values]
            found.add(("".join(pieces), node))
    found |= {(re.escape(s.value), s) for s in strings(tree) if isinstance(s.value, str) and s not in inside}
    return {(pattern, node) for pattern, node in found if pattern.startswith("utter_")}


def lines_said(tree: ast.Module) -> Iterator[tuple[str, set[str], ast.Call]]:
    """Calls of texts.say and texts.words that name their response: the key and the slots they fill."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        key, filled = node.args[0], {keyword.arg for keyword in node.keywords}
        if node.func.attr in {"say", "words"} and isinstance(key, ast.Constant) and None not in filled:
            yield str(key.value), {name for name in filled if name} - {"language", "seed", "unlike"}, node


def test_a_caller_fills_exactly_the_slots_of_its_response():
    """An unfilled slot reads as nothing: an order without its number. A slot too many is a fact that gets lost."""
    domain = responses()

    wrong = [
        f"{place(path, call)}: {key} {sorted(filled ^ wanted)}"
        for path, tree in python_files(*ROOMS_THAT_SPEAK)
        for key, filled, call in lines_said(tree)
        if (wanted := set().union(*map(slots, domain.get(key, ())), *map(payload_slots, domain.get(key, ())))) != filled
    ]

    assert wrong == []


def test_no_sentence_stands_in_python():
    """A sentence in code is never translated, never reviewed and never found again."""
    need("service")

    chinese = [
        f"{place(path, node)}: {str(node.value)[:40]!r}"
        for path, tree in python_files(*ROOMS_THAT_SPEAK)
        if str(path.relative_to(ROOT)) not in CHINESE_DATA
        for node in strings(tree)
        if HAN.search(HARMLESS.sub("", str(node.value)))
    ]

    assert chinese == []


@pytest.mark.parametrize("file", CHINESE_DATA)
def test_an_exception_is_still_needed(file):
    """The list of exceptions shrinks when its reason is gone."""
    path = need(file)

    assert HAN.search(path.read_text("utf-8"))


def test_every_response_named_in_python_exists():
    """A missing key is an exception in front of a resident."""
    keys = responses()

    missing = [
        f"{place(path, node)}: {pattern}"
        for path, tree in python_files(*ROOMS_THAT_SPEAK)
        for pattern, node in patterns(tree)
        if not any(re.fullmatch(pattern, key) for key in keys)
    ]

    assert missing == []


def test_every_sentence_is_said_somewhere():
    """One that nobody says promises what is not kept. Words are left out: what is stored names them."""
    named = {pattern for _, tree in python_files(*ROOMS_THAT_SPEAK) for pattern, _ in patterns(tree)}
    elsewhere = [need("nlu/data/rules.yml"), need("nlu/agenda.py"), *need("console/templates").rglob("*.html")]
    named |= {key for path in elsewhere for key in KEY.findall(path.read_text("utf-8"))}

    sentences = {key for key in responses() if not key.startswith("utter_word_")} - asked_by_forms()
    said = {key for pattern in named for key in sentences if re.fullmatch(pattern, key)}

    assert "utter_.+" not in named
    assert sentences - said == set()


def asked_by_forms() -> set[str]:
    """What Rasa says of itself when a form asks; which question that is stands in actions/facts.py."""
    questions = {str(one.value) for one in strings(parse(need("actions/facts.py")))}
    forms = yaml.safe_load(need("domain.yml").read_text("utf-8"))["forms"]
    return {f"utter_ask_{lead}{asked}" for asked in questions for lead in ("", *(f"{form}_" for form in forms))}


def test_a_hole_in_a_key_matches_what_fills_it():
    """The rule above reads f-strings; it must not be blind to a prefix nobody has."""
    found = {pattern for pattern, _ in patterns(ast.parse("say(f'utter_word_{kind}_x'); say('utter_greet')"))}

    assert found == {"utter_word_.+_x", "utter_greet"}


def test_no_response_stands_twice():
    """YAML would keep the later one in silence, and Rasa would not train."""
    keys = re.findall(r"^  (utter_\w+):", need("domain.yml").read_text("utf-8"), re.MULTILINE)

    assert [key for key, times in Counter(keys).items() if times > 1] == []


def test_every_response_speaks_both_languages():
    """A resident who chose English never gets a silence or Chinese."""
    silent = {
        key: missing
        for key, variants in responses().items()
        if (missing := {"zh", "en"} - set().union(*map(languages, variants)))
    }

    assert silent == {}


def test_english_and_chinese_say_the_same_facts():
    """A slot in one language only is a fact that half of the residents never learn."""
    uneven = {}
    for key, variants in responses().items():
        facts: dict[str, set[str]] = defaultdict(set)
        for variant in variants:
            for language in languages(variant):
                facts[language] |= slots(variant)
        if facts["zh"] != facts["en"]:
            uneven[key] = facts["zh"] ^ facts["en"]

    assert uneven == {}


def test_whichever_way_it_is_said_the_facts_are_the_same():
    """Variants are picked by chance: one without its number would lose it now and then."""
    uneven = {
        key
        for key, variants in responses().items()
        for language in ("zh", "en")
        if len({frozenset(slots(one)) for one in variants if language in languages(one)}) > 1
    }

    assert uneven == set()


@pytest.mark.parametrize("file", ["nlu/data/rules.yml", "nlu/agenda.py"])
def test_every_response_named_in_rasas_room_exists(file):
    """Rasa says nothing at all for a response it does not know."""
    named = set(re.findall(r"utter_[a-z_]+", need(file).read_text("utf-8")))

    assert named
    assert named <= responses().keys()


def test_english_and_chinese_offer_the_same_buttons():
    """What a resident can do does not depend on the language."""
    uneven = {
        key for key, variants in responses().items() if len({tuple(payloads(variant)) for variant in variants}) > 1
    }

    assert uneven == set()


@pytest.mark.parametrize("words", BANNED)
def test_no_response_refuses_flatly(words):
    """Norm N9: what the bot cannot do is taken down and handed up, never turned away."""
    rude = [
        f"{key}: {text}"
        for key, variants in responses().items()
        for variant in variants
        for text in spoken(variant)
        if re.search(words, text, re.IGNORECASE)
    ]

    assert rude == []
