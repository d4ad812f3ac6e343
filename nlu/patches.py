"""What Rasa 3.6.21 does wrong and a subclass cannot reach. Rasa is frozen, so these will keep fitting.

Each patch says what goes wrong without it; tests/nlu proves each against the running server.
"""

from contextvars import ContextVar
from itertools import islice
from typing import Any, Dict, List, Type

import jsonschema
import rasa
from rasa.core import agent
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.core.agent import Agent
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.core.utils import AvailableEndpoints
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.graph_components.providers.domain_provider import DomainProvider
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity
from rasa.shared.exceptions import RasaException
from rasa.shared.utils import io

import swapping

RECENT_EVENTS = 100  # of a session that an action is sent; a turn makes about ten

# Names of the actions that failed in the turn this task is running; the channel looks after every turn.
failed_actions: ContextVar[List[str]] = ContextVar("failed_actions")


class ActionFailure(RasaException):
    """What Rasa logs of a failed action: its name and the kind of error, not the answer, which quotes residents."""


def apply() -> None:
    """Apply every patch, once, before the server starts."""
    _build_the_validator_once()
    _remember_failed_actions()
    _let_the_tracker_store_fail()
    _send_actions_what_they_read()
    _serve_a_file_where_no_model_server_is_named()
    _swap_models_beside_the_event_loop()
    _read_a_models_domain_once()


def _build_the_validator_once() -> None:
    """Rasa checks the JSON schema of action answers against the schema of schemas on every single call.

    That is half of the time a message takes (RasaHQ/rasa#11717).
    """
    schema = RemoteAction.action_response_format_spec()
    validator = jsonschema.validators.validator_for(schema)(schema)

    def _validate_action_result(self: RemoteAction, result: Dict[str, Any]) -> bool:
        validator.validate(result)
        return True

    RemoteAction._validate_action_result = _validate_action_result


def _remember_failed_actions() -> None:
    """Rasa logs a failed action and goes on: the resident hears nothing and the turn is recorded as done."""
    run = RemoteAction.run

    async def _run(self: RemoteAction, *args: Any, **kwargs: Any) -> Any:
        try:
            return await run(self, *args, **kwargs)
        except ActionExecutionRejection:  # a form that declines its turn, which is how forms talk
            raise
        except Exception as error:  # noqa: BLE001  (whatever it was, the turn is not to be recorded)
            failed_actions.get([]).append(self.name())
            raise ActionFailure(f"{self.name()}: {type(error).__name__}") from None

    RemoteAction.run = _run


def _let_the_tracker_store_fail() -> None:
    """Rasa wraps the tracker store so that an outage silently continues in memory, and the dialogue is lost later."""
    Agent._create_tracker_store = staticmethod(
        lambda store, domain: InMemoryTrackerStore(domain) if store is None else store
    )


def _send_actions_what_they_read() -> None:
    """Rasa sends the whole domain (90 KB) and every event of the session with each call of an action.

    Ours read slots, the latest message and what happened just before it; the rest costs both sides milliseconds.
    """

    def _action_call_format(self: RemoteAction, tracker: DialogueStateTracker, domain: Domain) -> Dict[str, Any]:
        state = tracker.current_state(EventVerbosity.NONE)
        state["events"] = [event.as_dict() for event in islice(reversed(tracker.events), RECENT_EVENTS)][::-1]
        return {
            "next_action": self.name(),
            "sender_id": tracker.sender_id,
            "tracker": state,
            "domain": {},
            "version": rasa.__version__,
        }

    RemoteAction._action_call_format = _action_call_format


def _serve_a_file_where_no_model_server_is_named() -> None:
    """Rasa takes `models` without an address for a model server it cannot reach, and then serves nothing."""
    read = AvailableEndpoints.read_endpoints

    def read_endpoints(file: str) -> AvailableEndpoints:
        found = read(file)
        if found.model is not None and not found.model.url:
            found.model = None
        return found

    AvailableEndpoints.read_endpoints = read_endpoints


def _swap_models_beside_the_event_loop() -> None:
    """Rasa builds a new model where it answers people: nobody is answered for a second. nlu/swapping.py says more."""
    agent._update_model_from_server = swapping.update_model


def _read_a_models_domain_once() -> None:
    """Rasa parses the domain inside a model four times and checks its schema again, all in Python: most of a load."""

    def load(
        cls: Type[DomainProvider], config: Dict, model_storage: ModelStorage, resource: Resource, *_: Any, **__: Any
    ) -> DomainProvider:
        with model_storage.read_from(resource) as folder:
            domain = Domain.from_dict(io.read_yaml((folder / "domain.yml").read_text(encoding="utf-8")))
        return cls(model_storage, resource, domain)

    DomainProvider.load = classmethod(load)
