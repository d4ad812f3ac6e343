"""What Rasa 3.6.21 does wrong and a subclass cannot reach. Rasa is frozen, so these will keep fitting.

Each patch says what goes wrong without it; tests/nlu proves each against the running server.
"""

from contextvars import ContextVar
from functools import lru_cache
from itertools import islice
from typing import Any, Dict, List, Optional

import aiohttp
import rasa
from rasa.core import agent
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.core.agent import Agent
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.core.utils import AvailableEndpoints
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActiveLoop, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity
from rasa.shared.exceptions import RasaException
from rasa.utils.endpoints import EndpointConfig

import model_domain
import swapping

RECENT_EVENTS = 100  # of a session that an action is sent; a turn makes about ten

# Names of the actions that failed in the turn this task is running; the channel looks after every turn.
failed_actions: ContextVar[List[str]] = ContextVar("failed_actions")


class ActionFailure(RasaException):
    """What Rasa logs of a failed action: its name and the kind of error, not the answer, which quotes residents."""


def apply() -> None:
    """Apply every patch, once, before the server starts."""
    _check_the_shape_of_answers_only()
    _remember_failed_actions()
    _let_the_tracker_store_fail()
    _send_actions_what_they_read()
    _serve_a_file_where_no_model_server_is_named()
    _swap_models_beside_the_event_loop()
    model_domain.read_once()
    _keep_connections()
    _run_the_graph_without_a_scheduler()
    _remember_the_kinds_of_events()


def _check_the_shape_of_answers_only() -> None:
    """Rasa checks the JSON schema of action answers against the schema of schemas on every single call.

    That is half of the time a message takes (RasaHQ/rasa#11717). The action server is ours and builds its answers with
    rasa_sdk: what matters is that it was an answer at all.
    """

    def _validate_action_result(self: RemoteAction, result: Dict[str, Any]) -> bool:
        if not all(isinstance(result.get(part, []), list) for part in ("events", "responses")):
            raise TypeError("events and responses must be lists")
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

    Ours read slots, the latest message, what happened just before it, and which form was begun last, however long ago
    that was; the rest costs both sides milliseconds. What earlier messages were understood as is most of it.
    """

    def _begins_a_form(event: Event) -> bool:
        return isinstance(event, ActiveLoop) and bool(event.name)

    def _brief(event: Event) -> Dict[str, Any]:
        body = event.as_dict()
        if isinstance(event, UserUttered):
            del body["parse_data"]
        return body

    def _action_call_format(self: RemoteAction, tracker: DialogueStateTracker, domain: Domain) -> Dict[str, Any]:
        state = tracker.current_state(EventVerbosity.NONE)
        backwards = reversed(tracker.events)
        recent = list(islice(backwards, RECENT_EVENTS))
        begun = () if any(map(_begins_a_form, recent)) else islice(filter(_begins_a_form, backwards), 1)
        state["events"] = [_brief(event) for event in (*recent, *begun)][::-1]
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


def _keep_connections() -> None:
    """Rasa opens a pool of connections for every call of an action and closes it again."""
    open_pool = EndpointConfig.session

    class Kept:
        """The endpoint's one pool, opened at its first call, which survives the `async with` around every call."""

        def __init__(self, endpoint: EndpointConfig) -> None:
            self._endpoint = endpoint

        async def __aenter__(self) -> aiohttp.ClientSession:
            if not hasattr(self._endpoint, "pool"):
                self._endpoint.pool = open_pool(self._endpoint)
            return self._endpoint.pool

        async def __aexit__(self, *_: object) -> None:
            """Stay open."""

    def _session(self: EndpointConfig) -> Kept:
        return Kept(self)

    EndpointConfig.session = _session


def _run_the_graph_without_a_scheduler() -> None:
    """Dask plans every walk through the handful of components anew, for threads that are never used."""

    def _run(self: DaskGraphRunner, inputs: Optional[dict] = None, targets: Optional[list] = None) -> Dict[str, Any]:
        done = {name: (name, value) for name, value in (inputs or {}).items()}

        def result(name: str) -> Any:
            if name not in done:
                needs = self._graph_schema.nodes[name].needs.values()
                done[name] = self._instantiated_nodes[name](*[result(need) for need in needs])
            return done[name]

        return dict(result(name) for name in targets or self._graph_schema.target_names)

    DaskGraphRunner.run = _run


def _remember_the_kinds_of_events() -> None:
    """Rasa looks through all its classes for the kind of every event it reads."""
    Event.resolve_by_type = staticmethod(lru_cache(maxsize=None)(Event.resolve_by_type))
