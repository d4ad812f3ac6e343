"""What was understood, said back in our own words before anything is registered (N7)."""

from __future__ import annotations

from actions import times
from actions.facts import SOON, Facts, stated
from actions.turns import Turn
from service import cases, categories, texts


def summary(facts: Facts, turn: Turn, *, kind: str) -> str:
    """Say the five facts back (N7, N8)."""
    language = turn.language
    department = cases.department_for(kind, categories.categorise(facts.matter or ""))
    reached = " ".join(filter(None, (facts.contact, stated(facts.phone))))
    return texts.words(
        f"utter_word_summary_{kind}",
        language=language,
        matter=facts.matter,
        place=stated(facts.location) or texts.words("utter_word_not_said", language=language),
        wanted_at=times.written(wanted_at(facts, language), facts.visit, turn),
        contact=reached or texts.words("utter_word_you_here", language=language),
        department=texts.words(f"utter_word_{department}", language=language),
    )


def wanted_at(facts: Facts, language: str) -> str:
    """When the visit suits, in words."""
    named = facts.visit_time and facts.visit_time != SOON
    return str(facts.visit_time) if named else texts.words("utter_word_as_soon_as_possible", language=language)
