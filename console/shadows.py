"""A candidate that reads along: begun and ended here, with what it takes for something else than the served model."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from console.doors import deed, page
from console.understanding import told, who
from console.visit import Visit
from service import language_models, opinions, readings, shadows
from service.errors import CandidateNotFound, ModelServedAlready
from service.kinds import KINDS
from service.model_files import BadModel, check_file
from service.models.understanding import ShadowEnd
from service.staff import Right

MODEL = "/models/{id:int}"
READING = "/models/readings/{id:int}"
NOBODY_READS = timedelta(minutes=10)  # a trainer looks twice a minute, unless it trains


def shown(visit: Visit) -> Response:
    """How far it agrees with the served model, and where it does not."""
    model = language_models.access_number(visit.session, visit.id())
    found = shadows.of_model(visit.session, model)
    differences, tally = None, None
    if found:
        tally = shadows.tally(visit.session, found[0])
        before = visit.asked_number("before")
        differences = readings.differences(visit.session, found[0], visit.community.id, before=before)
    return visit.page(
        "models/shadow.html",
        model=model,
        shadows=found,
        tally=tally,
        nobody_reads=tally is not None and tally.since is not None and visit.now - tally.since > NOBODY_READS,
        differences=differences,
        active=language_models.active(visit.session),
        current=shadows.current(visit.session),
        lasts=shadows.LASTS.days,
        known_intents=KINDS,
        may_train=visit.may(Right.TRAIN),
    )


def begin(visit: Visit) -> Response:
    """Have it read along from now on, instead of another one that does."""
    model = language_models.access_number(visit.session, visit.id())
    try:
        check_file(language_models.file_of(visit.house.models_dir, model.name))
        shadows.begin(visit.session, model, by=who(visit), now=visit.now)
    except BadModel:
        return _back(visit, "models.file_broken")
    except ModelServedAlready:
        return _back(visit, "models.is_served")
    return _back(visit, "shadows.begun")


def end(visit: Visit) -> Response:
    """Let it read no more."""
    running = shadows.current(visit.session)
    if running is None or running.model_id != visit.id():
        return _back(visit, "shadows.not_running")
    shadows.end(visit.session, running.id, ShadowEnd.STOPPED, by=who(visit), now=visit.now)
    return _back(visit, "shadows.ended")


def label(visit: Visit) -> Response:
    """Say which of the two is right; without a word, look at it as at any message that is to be labelled."""
    try:
        candidate = readings.access_candidate(visit.session, visit.id(), community_id=visit.community.id, now=visit.now)
    except CandidateNotFound:
        return visit.back(visit.said("next"), told="shadows.words_gone")
    if not visit.said("intent"):
        return visit.back(f"/understanding/{candidate.id}")
    answer = opinions.say(
        visit.session, candidate, visit.said("intent"), by=who(visit), seen=candidate.state, now=visit.now
    )
    return told(visit, answer)


def _back(visit: Visit, word: str) -> Response:
    return visit.back(f"/models/{visit.id()}/shadow", told=word)


DOORS = (
    page(f"{MODEL}/shadow", shown, Right.TEACH, shows="shadow"),
    deed(f"{MODEL}/shadow", begin, Right.TRAIN, act="begin_shadow", object="model"),
    deed(f"{MODEL}/shadow/end", end, Right.TRAIN, act="end_shadow", object="model"),
    deed(f"{READING}/label", label, Right.TEACH, act="label", object="reading"),
)
