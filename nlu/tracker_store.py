"""Dialogues in PostgreSQL: honest about outages, and unable to hold the same message twice."""

import json
import logging
import time
from typing import Any, Dict, List, Optional

import sqlalchemy as sa
from rasa.core.tracker_store import SQLTrackerStore, TrackerStore
from rasa.shared.core.domain import Domain
from sqlalchemy.exc import OperationalError, SQLAlchemyError  # noqa: F401  (the latter: an outage, to the channel)

logger = logging.getLogger(__name__)
ANSWERS_WITHIN = 60.0  # seconds a database may take to start or to recover; starting Rasa again takes ten of them
LOOK_EVERY = 0.5  # seconds

# One event loop runs SQL in turn, so it never needs more than a few connections; Rasa's default is 50 + 100.
POOL = {"pool_size": 4, "max_overflow": 4, "pool_timeout": 3, "pool_pre_ping": True}
CONNECT = {"connect_timeout": 3, "options": "-c statement_timeout=5000 -c lock_timeout=3000"}  # s, ms, ms

# The database itself refuses a message it has: also from another Rasa process, also after a crash.
ONE_TURN_PER_MESSAGE = """
CREATE UNIQUE INDEX IF NOT EXISTS events_one_turn_per_message
ON events (sender_id, ((data::jsonb) ->> 'message_id')) WHERE type_name = 'user'
"""
TURN_OF = """
SELECT data FROM events
WHERE sender_id = :sender AND id >= (
    SELECT id FROM events
    WHERE sender_id = :sender AND type_name = 'user' AND (data::jsonb) ->> 'message_id' = :message)
AND id < COALESCE((
    SELECT min(later.id) FROM events AS later
    WHERE later.sender_id = :sender AND later.id > (
        SELECT id FROM events
        WHERE sender_id = :sender AND type_name = 'user' AND (data::jsonb) ->> 'message_id' = :message)
    AND (later.type_name = 'session_started'
         OR later.type_name = 'user' AND (later.data::jsonb) ->> 'message_id' IS NOT NULL)), 2147483647)
AND type_name IN ('user', 'bot') ORDER BY id
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
        rows = self._rows(TURN_OF, sender, message)
        return [json.loads(data) for (data,) in rows]

    def is_forgotten_by(self, sender: str, message: str) -> bool:
        """Say whether the dialogue was already begun anew on account of this message."""
        return bool(self._rows(FORGOTTEN_BY, sender, message))

    def erase(self, sender: str) -> int:
        """Delete everything that was ever said in a dialogue; returns how many events that were."""
        with self.engine.begin() as connection:
            return int(connection.execute(sa.text(ERASE), {"sender": sender}).rowcount)

    def _rows(self, query: str, sender: str, message: str) -> list:
        with self.engine.connect() as connection:
            return connection.execute(sa.text(query), {"sender": sender, "message": message}).all()
