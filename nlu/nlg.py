"""What the assistant says, in the language of the message it answers, never in the very words it used just before."""

import random
import re
from typing import Any, Dict, Optional

from rasa.core.nlg.generator import ResponseVariationFilter
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

DEFAULT_LANGUAGE = "zh"
SAID_LAST = "said last"  # beside the slots; no slot can be called so
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\w+)\}")


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
            filled = {**slots, "language": language, SAID_LAST: said_last(tracker)}
            answer = self.generate_from_slots(utter_action, filled, output_channel, **kwargs)
            if answer is not None:
                return answer
        return None

    def _random_response_for(
        self, utter_action: str, output_channel: str, filled_slots: Dict[str, Any]
    ) -> Optional[Dict[str, Any]]:
        """Return one of the variants, if possible another than the one that was said last (norm N7)."""
        if utter_action not in self.responses:
            return None
        chooser = ResponseVariationFilter(self.responses)
        suitable = chooser.responses_for_utter_action(utter_action, output_channel, filled_slots)
        last = filled_slots.get(SAID_LAST)
        others = [one for one in suitable if fill(one.get("text"), filled_slots) != last]
        return random.choice(others or suitable) if suitable else None

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


def said_last(tracker: DialogueStateTracker) -> Optional[str]:
    """Return the bot's last words."""
    return next((event.text for event in reversed(tracker.events) if isinstance(event, BotUttered)), None)


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
