"""What Rasa is made to do otherwise, run by its own Python: nlu/patches.py."""

from __future__ import annotations

import json
import subprocess

from tests.nlu.conftest import PYTHON, ROOT

LONG_FORM = """
import json, sys
sys.path.insert(0, "nlu")
import launcher
launcher.prepare()
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop
from rasa.shared.core.trackers import DialogueStateTracker
import patches

patches._send_actions_what_they_read()
tracker = DialogueStateTracker("somebody", [])
for name in ("complaint_form", None, "repair_form"):
    tracker.update(ActiveLoop(name))
for _ in range(patches.RECENT_EVENTS + 50):
    tracker.update(ActionExecuted("action_listen"))
tracker.update(ActiveLoop(None))
events = RemoteAction("action_open_case", None)._action_call_format(tracker, Domain.empty())["tracker"]["events"]
json.dump([len(events), [event["name"] for event in events if event["event"] == "active_loop"]], sys.stdout)
"""


def test_an_action_hears_which_form_was_begun_however_long_that_is_ago():
    """Who needs twenty messages to say it all could not have it registered, and was told again and again to wait."""
    done = subprocess.run([PYTHON, "-c", LONG_FORM], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr

    count, forms = json.loads(done.stdout)

    assert forms == ["repair_form", None]
    assert count == 101, "nothing else of so long ago"


LONG_FILE = """
import sys
sys.path.insert(0, "nlu")
import launcher
launcher.prepare()
from rasa.shared.utils import io

reader = io.yaml.YAML(typ="safe", pure=True)
reader.load("a: [a, ant, 1, 1.5, yes, '', null]")
rules = len(reader.resolver.versioned_resolver["1"])
print(reader.load("a: [a, ant, 1, 1.5, yes, '', null]"), len(reader.resolver.versioned_resolver["1"]) - rules)
"""


def test_reading_a_long_file_does_not_take_as_long_as_the_square_of_its_length():
    """Three seconds of every start of Rasa, and more of every tool that loads a model."""
    done = subprocess.run([PYTHON, "-c", LONG_FILE], capture_output=True, text=True, cwd=ROOT, check=False)

    assert done.stdout == "{'a': ['a', 'ant', 1, 1.5, 'yes', '', None]} 0\n", done.stderr
