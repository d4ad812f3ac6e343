"""What the assistant says, in the language of the message it answers, and not as it has just said it."""

import copy
import random
import re
from typing import Any, Dict, List, Optional

from rasa.core.nlg.generator import ResponseVariationFilter
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

DEFAULT_LANGUAGE = "zh"
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\w+)\}")
SENTENCE = re.compile(r"[。！？!?\n]|\. |\{\w+\}")  # what is filled in is said as often as it is so
SHORT = 6  # characters: a 「好的」 may come twice


class GuanjiaNLG(TemplatedNaturalLanguageGenerator):
    """Picks the variant by the message's own language, so that no slot has to follow it."""

    def __init__(self, endpoint_config: Optional[EndpointConfig] = None, domain: Optional[Domain] = None) -> None:
        """Create the generator as Rasa does for a `type` in endpoints.yml; the responses come with each model."""
        super().__init__(domain.responses if domain else {})

    async def generate(
        self, utter_action: str, tracker: DialogueStateTracker, output_channel: str, **kwargs: Any
    ) -> Optional[Dict[str, Any]]:
        """Return the response filled in; a missing translation falls back to Chinese rather than to silence."""
        slots = tracker.current_slot_values()
        for language in (language_of(tracker), DEFAULT_LANGUAGE):
            filled = {**slots, "language": language}
            variants = self._variants(utter_action, filled, output_channel)
            if variants:
                chosen = random.choice(fresh(variants, said_last(tracker)) or variants)
                return self._fill_response(copy.deepcopy(chosen), filled, **kwargs)
        return None

    def _variants(self, utter_action: str, filled: Dict[str, Any], channel: str) -> List[Dict[str, Any]]:
        if utter_action not in self.responses:
            return []
        return ResponseVariationFilter(self.responses).responses_for_utter_action(utter_action, channel, filled)

    def _fill_response(
        self, response: Dict[str, Any], filled_slots: Optional[Dict[str, Any]] = None, **kwargs: Any
    ) -> Dict[str, Any]:
        """Fill in the placeholders; Rasa's own filling shows "None" and trips over residents' braces."""
        values = self._response_variables(filled_slots or {}, kwargs)
        return {key: value if key == "condition" else fill(value, values) for key, value in response.items()}


def language_of(tracker: DialogueStateTracker) -> str:
    """Return the language the bot has found for the latest message."""
    message = tracker.latest_message
    return ((message.metadata or {}) if message else {}).get("language") or DEFAULT_LANGUAGE


def said_last(tracker: DialogueStateTracker) -> str:
    """Return the bot's newest line."""
    lines = (event.text for event in reversed(tracker.events) if isinstance(event, BotUttered) and event.text)
    return next(lines, "")


def fresh(variants: List[Dict[str, Any]], said: str) -> List[Dict[str, Any]]:
    """Return the variants that repeat no sentence of what was said."""
    return [variant for variant in variants if not _repeats(str(variant.get("text") or ""), said)]


def _repeats(text: str, said: str) -> bool:
    sentences = (sentence.strip() for sentence in SENTENCE.split(text))
    return any(len(sentence) >= SHORT and sentence in said for sentence in sentences)


def fill(template: Any, values: Dict[str, Any]) -> Any:
    """Replace {name} by its value or by nothing; {{ and }} are braces, as in Rasa."""
    if isinstance(template, dict):
        return {key: fill(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(item, values) for item in template]
    if not isinstance(template, str):
        return template
    return PLACEHOLDER.sub(lambda found: _value(found, values), template)


def _value(found: "re.Match", values: Dict[str, Any]) -> str:
    if found[1] is None:
        return found[0][0]
    value = values.get(found[1])
    return "" if value is None else str(value)
