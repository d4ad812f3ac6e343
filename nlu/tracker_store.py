"""Dialogues in PostgreSQL: honest about outages, and unable to hold the same message twice."""

import json
import logging
import time
from itertools import islice
from typing import Any, Dict, List, Optional

import sqlalchemy as sa
from rasa.core.tracker_store import SQLTrackerStore, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.exc import OperationalError, SQLAlchemyError  # noqa: F401  (the latter: an outage, to the channel)

logger = logging.getLogger(__name__)
ANSWERS_WITHIN = 60.0  # seconds a database may take to start or to recover; starting Rasa again takes ten of them
LOOK_EVERY = 0.5  # seconds

# One event loop runs SQL in turn, so it never needs more than a few connections; Rasa's default is 50 + 100.
POOL = {"pool_size": 4, "max_overflow": 4, "pool_timeout": 3}
CONNECT = {"connect_timeout": 3, "options": "-c statement_timeout=5000 -c lock_timeout=3000"}  # s, ms, ms

# The database itself refuses a message it has: also from another Rasa process, also after a crash.
ONE_TURN_PER_MESSAGE = """
CREATE UNIQUE INDEX IF NOT EXISTS events_one_turn_per_message
ON events (sender_id, ((data::jsonb) ->> 'message_id')) WHERE type_name = 'user'
"""
FIRST_OF_TURN = """
SELECT id FROM events
WHERE sender_id = :sender AND type_name = 'user' AND (data::jsonb) ->> 'message_id' = :message
"""
TURN_FROM = """
SELECT data FROM events WHERE sender_id = :sender AND id >= :first AND type_name IN ('user', 'bot')
AND id < COALESCE((
    SELECT min(later.id) FROM events AS later
    WHERE later.sender_id = :sender AND later.id > :first AND (later.type_name = 'session_started'
        OR later.type_name = 'user' AND (later.data::jsonb) ->> 'message_id' IS NOT NULL)
), 2147483647) ORDER BY id
"""
LATEST_SESSION = """
SELECT data FROM events WHERE sender_id = :sender AND timestamp >= COALESCE((
    SELECT max(timestamp) FROM events WHERE sender_id = :sender AND type_name = 'session_started'
), 0) ORDER BY id
"""
FORGOTTEN_BY = """
SELECT 1 FROM events WHERE sender_id = :sender AND type_name = 'session_started'
AND (data::jsonb) -> 'metadata' ->> 'message_id' = :message LIMIT 1
"""
ERASE = "DELETE FROM events WHERE sender_id = :sender"


class GuanjiaTrackerStore(SQLTrackerStore):
    """Rasa's SQL tracker store, with recorded turns and errors that reach the caller."""

    def __init__(self, domain: Optional[Domain] = None, host: str = "", event_broker: Any = None, **_: Any) -> None:
        """Connect and make the tables; a database that does not answer for a minute stops the start.

        Args:
            domain: set by Rasa when the model is loaded.
            host: `url` of endpoints.yml; any PostgreSQL URL, also with a socket directory as ?host=/path.
            event_broker: none of ours; Rasa passes it.
        """
        url = sa.engine.make_url(host).set(drivername="postgresql+psycopg2")
        self.engine = sa.create_engine(url, connect_args=CONNECT, hide_parameters=True, **POOL)
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._make_tables()
        self.sessionmaker = sa.orm.sessionmaker(bind=self.engine)
        TrackerStore.__init__(self, domain, event_broker)

    def _make_tables(self) -> None:
        """Make the tables as soon as the server answers: it may be starting, or recovering from a crash."""
        give_up = time.monotonic() + ANSWERS_WITHIN
        while True:
            try:
                with self.engine.begin() as connection:
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('guanjia_tracker_store'))"))
                    self.Base.metadata.create_all(connection)
                    connection.execute(sa.text(ONE_TURN_PER_MESSAGE))
            except OperationalError as error:
                if time.monotonic() > give_up:
                    raise
                logger.warning("The tracker store does not answer yet (%s)", type(error.orig).__name__)
                time.sleep(LOOK_EVERY)
            else:
                return

    def recorded_turn(self, sender: str, message: str) -> List[Dict[str, Any]]:
        """Return the user event of this message and the bot events it led to; empty when it was never handled."""
        found = self._rows(FIRST_OF_TURN, sender=sender, message=message)
        rows = self._rows(TURN_FROM, sender=sender, first=found[0].id) if found else []
        return [json.loads(data) for (data,) in rows]

    def is_forgotten_by(self, sender: str, message: str) -> bool:
        """Say whether the dialogue was already begun anew on account of this message."""
        return bool(self._rows(FORGOTTEN_BY, sender=sender, message=message))

    def erase(self, sender: str) -> int:
        """Delete everything that was ever said in a dialogue; returns how many events that were."""
        with self.engine.begin() as connection:
            return int(connection.execute(sa.text(ERASE), {"sender": sender}).rowcount)

    async def retrieve(self, sender_id: str) -> Optional[DialogueStateTracker]:
        """Return the tracker of the latest session, as Rasa's own store does with three times the work."""
        events = [json.loads(data) for (data,) in self._rows(LATEST_SESSION, sender=sender_id)]
        if not events or not self.domain:
            return None
        tracker = DialogueStateTracker.from_dict(sender_id, events, self.domain.slots)
        tracker.stored = len(tracker.events)
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Write down what has happened since the tracker was retrieved; it knows how much that was."""
        stored = getattr(tracker, "stored", None)
        if stored is None:
            await super().save(tracker)
        else:
            rows = [self._row(tracker.sender_id, event) for event in islice(tracker.events, stored, None)]
            if rows:
                with self.engine.begin() as connection:
                    connection.execute(self.SQLEvent.__table__.insert(), rows)
        tracker.stored = len(tracker.events)

    @staticmethod
    def _row(sender: str, event: Event) -> Dict[str, Any]:
        data = event.as_dict()
        return {
            "sender_id": sender,
            "type_name": event.type_name,
            "timestamp": data.get("timestamp"),
            "intent_name": data.get("parse_data", {}).get("intent", {}).get("name"),
            "action_name": data.get("name"),
            "data": json.dumps(data),
        }

    def _rows(self, query: str, **values: Any) -> list:
        """Ask outside a transaction: one way there and back instead of three.

        Every turn begins here, so here it is noticed that the server was restarted and all connections are gone; trying
        each connection out before every use would cost a turn four more questions.
        """
        try:
            return self._ask(query, values)
        except OperationalError as error:
            if not error.connection_invalidated:
                raise
            return self._ask(query, values)

    def _ask(self, query: str, values: Dict[str, Any]) -> list:
        with self._reading.connect() as connection:
            return connection.execute(sa.text(query), values).all()
