"""One turn of a dialogue: run once, recorded once, or not at all."""

import asyncio
from typing import Any, Dict, List, Optional

from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.processor import MessageProcessor
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME, REQUESTED_SLOT
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, Event, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.exc import IntegrityError

from envelope import Incoming
from patches import failed_actions
from tracker_store import GuanjiaTrackerStore

TURN_TIMEOUT = 12.0  # seconds; the bot gives up after 15 and may ask another Rasa process
LOCK_POLL = 0.02  # seconds; Rasa's own default lets a second message wait a whole second
LONGEST_SESSION = 400  # events; every turn reads and sends all of them (180: 29 ms, 1,000: 104 ms)


class ActionFailed(RuntimeError):
    """A custom action failed; nothing of the turn was recorded, so the message may come again."""


class Output(CollectingOutputChannel):
    """Receives replies in vain: the answer is read from the tracker's events."""

    @classmethod
    def name(cls) -> str:
        """Let domain.yml say `channel: guanjia`."""
        return "guanjia"


async def answer(agent: Agent, incoming: Incoming) -> tuple:
    """Return the turn's events and whether they were recorded before.

    Raises:
        ActionFailed: a custom action failed or timed out there.
        asyncio.TimeoutError: the turn took too long.
        SQLAlchemyError: the tracker store does not answer.
    """
    async with agent.lock_store.lock(incoming.sender, wait_time_in_seconds=LOCK_POLL):
        recorded = _recorded(agent, incoming)
        if recorded:
            return recorded, True
        try:
            return await asyncio.wait_for(_run(agent, incoming), TURN_TIMEOUT), False
        except IntegrityError:  # another process was faster; what it recorded is the answer
            return _recorded(agent, incoming), True


def _recorded(agent: Agent, incoming: Incoming) -> List[Dict[str, Any]]:
    store = agent.tracker_store
    is_ours = isinstance(store, GuanjiaTrackerStore)
    return store.recorded_turn(incoming.sender, incoming.message_id) if is_ours else []


async def _run(agent: Agent, incoming: Incoming) -> List[Dict[str, Any]]:
    """Do what Rasa's `handle_message` does, but record nothing when an action failed."""
    processor = agent.processor  # the model may be swapped meanwhile; a turn ends with the one it began with
    failures: List[str] = []
    failed_actions.set(failures)
    message = _user_message(incoming)
    tracker = await processor.log_message(message, should_save_tracker=False)
    _write_beside(tracker, processor)
    tracker = await processor.run_action_extract_slots(message.output_channel, tracker)
    await processor._run_prediction_loop(message.output_channel, tracker)
    if failures:
        raise ActionFailed(", ".join(failures))
    _end(tracker, processor)
    events = _latest_turn(tracker)
    await _cut_long_session(processor, tracker)
    await processor.save_tracker(tracker)
    return events


def _write_beside(tracker: DialogueStateTracker, processor: MessageProcessor) -> None:
    """Keep with the message which model read it, and which slot was being asked for: a repeated answer says it too."""
    tracker.latest_message.parse_data.update(
        model=processor.model_filename.split(".")[0], asked=tracker.get_slot(REQUESTED_SLOT)
    )


def _end(tracker: DialogueStateTracker, processor: MessageProcessor) -> None:
    """Listen, also after Rasa's circuit breaker: it would stay tripped and swallow every later message."""
    if tracker.latest_action_name != ACTION_LISTEN_NAME:
        tracker.update(ActionExecuted(ACTION_LISTEN_NAME), processor.domain)


def _user_message(incoming: Incoming) -> UserMessage:
    message = UserMessage(
        incoming.text,
        Output(),
        incoming.sender,
        input_channel=Output.name(),
        message_id=incoming.message_id,
        metadata=incoming.metadata,
    )
    message.text = incoming.text  # Rasa strips it, which would move every entity
    return message


def _latest_turn(tracker: DialogueStateTracker) -> List[Dict[str, Any]]:
    """Return the last user event and the bot events behind it."""
    said: List[Event] = []
    for event in reversed(tracker.events):
        if isinstance(event, (BotUttered, UserUttered)):
            said.append(event)
        if isinstance(event, UserUttered):
            break
    return [event.as_dict() for event in reversed(said)]


async def _cut_long_session(processor: MessageProcessor, tracker: DialogueStateTracker) -> None:
    """Begin a new session between two matters; slots go along if the domain says so."""
    if len(tracker.events) <= LONGEST_SESSION or tracker.active_loop:
        return
    start = processor._get_action(ACTION_SESSION_START_NAME)
    events = await start.run(Output(), processor.nlg, tracker, processor.domain)
    tracker.update_with_events([ActionExecuted(ACTION_SESSION_START_NAME), *events], processor.domain)


async def forget(agent: Agent, sender: str, message_id: str) -> bool:
    """Begin the dialogue anew, once per message id; say whether it had been done before."""
    async with agent.lock_store.lock(sender, wait_time_in_seconds=LOCK_POLL):
        store = agent.tracker_store
        if isinstance(store, GuanjiaTrackerStore) and store.is_forgotten_by(sender, message_id):
            return True
        tracker = await agent.processor.get_tracker(sender)
        tracker.update_with_events(_forgetting(message_id), agent.domain)
        await agent.processor.save_tracker(tracker)
        return False


def _forgetting(message_id: Optional[str]) -> List[Event]:
    return [
        ActiveLoop(None),
        SlotSet(REQUESTED_SLOT, None),
        ActionExecuted(ACTION_SESSION_START_NAME),
        SessionStarted(metadata={"message_id": message_id}),
        ActionExecuted(ACTION_LISTEN_NAME),
    ]
