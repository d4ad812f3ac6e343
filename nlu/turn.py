"""One turn of a dialogue: run once, recorded once, or not at all."""

import asyncio
import itertools
from copy import copy
from typing import Any, Dict, List, Optional

from rasa.core.actions.action import create_bot_utterance
from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.processor import MessageProcessor
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME, REQUESTED_SLOT
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, Event, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.exc import IntegrityError

import agenda
from envelope import Incoming, is_question
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
    """Do what Rasa's `handle_message` does, part by part, but record nothing when an action failed."""
    processor = agent.processor  # the model may be swapped meanwhile; a turn ends with the one it began with
    failures: List[str] = []
    failed_actions.set(failures)
    message = _user_message(incoming)
    tracker = await processor.fetch_tracker_and_update_session(incoming.sender, Output(), incoming.metadata)
    before, place = len(tracker.events), itertools.count()
    parsed = await processor.parse_message(message, tracker)
    for step in agenda.steps(tracker, incoming.text, parsed):
        if isinstance(step, agenda.Remark):
            await _remark(processor, tracker, step)
        else:
            await _take_up(processor, tracker, _as_message(message, step, place=next(place)))
        if failures:
            raise ActionFailed(", ".join(failures))
    events = _said(tracker, since=before)
    await _cut_long_session(processor, tracker)
    await processor.save_tracker(tracker)
    return events


def _write_beside(tracker: DialogueStateTracker, processor: MessageProcessor) -> None:
    """Keep with the message which model read it, and which slot was being asked for: a repeated answer says it too."""
    tracker.latest_message.parse_data.update(
        model=processor.model_filename.split(".")[0], asked=tracker.get_slot(REQUESTED_SLOT)
    )


async def _take_up(processor: MessageProcessor, tracker: DialogueStateTracker, message: UserMessage) -> None:
    await processor._handle_message_with_tracker(message, tracker)
    _write_beside(tracker, processor)
    await processor.run_action_extract_slots(message.output_channel, tracker)
    await processor._run_prediction_loop(message.output_channel, tracker)
    _end(tracker, processor)


async def _remark(processor: MessageProcessor, tracker: DialogueStateTracker, remark: agenda.Remark) -> None:
    """Say something beside the rules."""
    said = await processor.nlg.generate(remark.response, tracker, Output.name(), matter=remark.matter)
    if said is not None:
        tracker.update(create_bot_utterance(said))


def _as_message(whole: UserMessage, matter: agenda.Matter, *, place: int) -> UserMessage:
    """Return a matter as a message; only the first of a turn carries the message's id."""
    message = copy(whole)
    message.text, message.parse_data = matter.text, matter.parsed
    message.metadata = matter.metadata(whole.metadata, place)
    message.message_id = whole.message_id if place == 0 else None
    return message


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


def _said(tracker: DialogueStateTracker, *, since: int) -> List[Dict[str, Any]]:
    """Return what both sides said in this turn. Of the questions that its parts led to, only an open one stands."""
    happened = itertools.islice(tracker.events, since, None)
    said = [event for event in happened if isinstance(event, (BotUttered, UserUttered))]
    questions = [event for event in said if is_question(event.metadata)]
    for event in questions[:-1] if tracker.get_slot(REQUESTED_SLOT) else questions:
        event.metadata["taken_back"] = True
    return [event.as_dict() for event in said]


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


async def erase(agent: Agent, sender: str) -> int:
    """Delete a dialogue for good, because the resident wants to be forgotten; returns how many events there were."""
    async with agent.lock_store.lock(sender, wait_time_in_seconds=LOCK_POLL):
        store = agent.tracker_store
        return store.erase(sender) if isinstance(store, GuanjiaTrackerStore) else 0


def _forgetting(message_id: Optional[str]) -> List[Event]:
    return [
        ActiveLoop(None),
        SlotSet(REQUESTED_SLOT, None),
        ActionExecuted(ACTION_SESSION_START_NAME),
        SessionStarted(metadata={"message_id": message_id}),
        ActionExecuted(ACTION_LISTEN_NAME),
    ]
