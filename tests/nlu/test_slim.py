"""What takes the place of the modules that Rasa never needs here behaves as Rasa expects of them."""

import subprocess

from tests.nlu.conftest import PYTHON, ROOT

PREPARE = """
import sys
sys.path.insert(0, "nlu")
import slim
slim.install()
"""
# Nothing listens at the discard port. Rasa names pymongo's errors where it catches those of every store.
CONNECT_TO_NOBODY = """
import tracker_store
from rasa.core.tracker_store import TrackerStore
from rasa.shared.exceptions import ConnectionException
from rasa.utils.endpoints import EndpointConfig
tracker_store.ANSWERS_WITHIN = 0.0
nobody = EndpointConfig("postgresql://127.0.0.1:9/none", type="tracker_store.GuanjiaTrackerStore")
try:
    TrackerStore.create(nobody)
except ConnectionException as error:
    print("ConnectionException", type(error.__cause__).__name__)
"""
CATCH_AN_ERROR = """
import pymongo.errors
from pymongo.errors import OperationFailure
try:
    raise OperationFailure("no")
except pymongo.errors.ConnectionFailure:
    print("caught as another one")
except pymongo.errors.OperationFailure as error:
    print("caught as itself:", error)
"""


def of_rasas_python(script: str) -> str:
    """What a script prints in Rasa's own environment."""
    done = subprocess.run([PYTHON, "-c", PREPARE + script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_a_store_that_cannot_connect_says_so():
    """A stand-in that is no exception would raise a TypeError about itself, and hide what is wrong."""
    assert of_rasas_python(CONNECT_TO_NOBODY) == "ConnectionException OperationalError"


def test_a_stand_in_for_an_error_is_caught_as_itself_alone():
    """A module has each of its names once, also one that only stands in."""
    assert of_rasas_python(CATCH_AN_ERROR) == "caught as itself: no"


def test_what_is_fitted_is_fitted_without_rasa():
    """Both together would need twice the memory; one careless import would bring Rasa back."""
    script = 'import fit, components.model, components.reading; print("rasa" in sys.modules)'

    assert of_rasas_python(script) == "False"
