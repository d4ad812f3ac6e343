"""The models of the understanding: trained by the trainer, compared here, served and taken back by managers."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from console.doors import deed, page
from console.understanding import who
from console.visit import Visit
from service import language_models, learning, model_reports, shadows, training
from service.errors import ModelRefused, NoEarlierModel, ReasonMissing
from service.kinds import KINDS
from service.model_files import BadModel, check_file
from service.model_gate import LANGUAGES, why_not_activate
from service.model_reports import Comparison
from service.models.understanding import LabelUse, LanguageModel, TrainingState
from service.staff import Right

HOME = "/models"
MEASURES_FOR = 30  # days, unless somebody says otherwise, until a label may train
NOBODY_TAKES_IT = timedelta(seconds=30)  # a trainer looks every second


def listing(visit: Visit) -> Response:
    """Every model with its scores, how a training is doing, what could be trained on."""
    return visit.page("models/list.html", **_known(visit))


def one(visit: Visit) -> Response:
    """A model beside the one that is served."""
    return _shown(visit, language_models.access_number(visit.session, visit.id()))


def train(visit: Visit) -> Response:
    """Have a model trained from the base data and the site's labels."""
    return _ask(visit, None)


def measure(visit: Visit) -> Response:
    """Have an older model measured anew, beside the active one."""
    return _ask(visit, language_models.access_number(visit.session, visit.id()).id)


def cancel(visit: Visit) -> Response:
    """Take a training back that has not begun."""
    is_done = training.cancel(visit.session, visit.id(), now=visit.now)
    return visit.back(HOME, told="models.cancelled" if is_done else "models.too_late_to_cancel")


def promote(visit: Visit) -> Response:
    """Move labels that have measured long enough to training."""
    word = visit.said("days")
    if not (word.isascii() and word.isdecimal() and len(word) < 5):
        return visit.page("models/list.html", status=HTTPStatus.UNPROCESSABLE_ENTITY, **_known(visit, days=word))
    moved = learning.promote(visit.session, older_than=timedelta(days=int(word)), now=visit.now)
    return visit.back(HOME, told="models.promoted" if moved else "models.none_promoted")


def activate(visit: Visit) -> Response:
    """Have a model served; past the gate with a reason, which is kept."""
    model = language_models.access_number(visit.session, visit.id())
    force = visit.said("force") == "yes"
    reason = visit.said("reason") or None
    try:
        with visit.session.begin_nested():  # undone if its file cannot be served
            language_models.activate(
                visit.session, model.name, by=who(visit), now=visit.now, reason=reason, force=force
            )
            check_file(language_models.file_of(visit.house.models_dir, model.name))
    except BadModel:
        return _shown(visit, model, wrong="models.file_broken")
    except ReasonMissing:
        return _shown(visit, model, wrong="models.reason_missing")
    except ModelRefused:
        return _shown(visit, model, wrong="models.refused")
    return visit.back(HOME, told="models.activated")


def roll_back(visit: Visit) -> Response:
    """Have the model served again that was active before."""
    try:
        with visit.session.begin_nested():  # undone if its file cannot be served
            model = language_models.rollback(visit.session, by=who(visit), now=visit.now)
            check_file(language_models.file_of(visit.house.models_dir, model.name))
    except NoEarlierModel:
        return visit.back(HOME, told="models.no_earlier")
    except BadModel:
        return visit.back(HOME, told="models.file_broken")
    visit.about = model.id
    return visit.back(HOME, told="models.rolled_back")


def _ask(visit: Visit, model_id: int | None) -> Response:
    run = training.ask(visit.session, community_id=visit.community.id, by=who(visit), now=visit.now, model_id=model_id)
    visit.about = run.id if run else None
    return visit.back(HOME, told="models.asked" if run else "models.under_way")


def _known(visit: Visit, *, days: str = str(MEASURES_FOR)) -> dict[str, Any]:
    """What the list shows."""
    models, active = language_models.every(visit.session), language_models.active(visit.session)
    runs = training.recent(visit.session)
    labels = learning.counts(visit.session)
    return {
        "models": models,
        "names": {model.id: model.name for model in models},
        "active": active,
        "gone": {model.id for model in models if _is_gone(visit, model)},
        "reads": shadows.current(visit.session),
        "languages": LANGUAGES,
        "lines": [(language, _line(models, language)) for language in LANGUAGES],
        "score": language_models.macro_f1,
        "runs": runs,
        "waits": bool(runs)
        and runs[0].state is TrainingState.QUEUED
        and visit.now - runs[0].asked_at > NOBODY_TAKES_IT,
        "train_count": labels[LabelUse.TRAIN],
        "test_count": labels[LabelUse.TEST],
        "days": days,
        "switches": language_models.switches(visit.session),
        "may_train": visit.may(Right.TRAIN),
        "may_serve": visit.may(Right.SERVE),
    }


def _shown(visit: Visit, model: LanguageModel, *, wrong: str | None = None) -> Response:
    active = language_models.active(visit.session)
    compared = None
    if active is not None and active is not model:
        compared = model_reports.compare(visit.session, visit.community.id, active, model)
    return visit.page(
        "models/one.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        model=model,
        active=active,
        is_gone=_is_gone(visit, model),
        losses=why_not_activate(model, active) if model is not active else [],
        compared=compared,
        **(_part(visit, compared) if compared else {}),
        matrix=model_reports.matrix,
        known_intents=KINDS,
        wrong=wrong,
        may_train=visit.may(Right.TRAIN),
        may_serve=visit.may(Right.SERVE),
    )


def _part(visit: Visit, compared: Comparison) -> dict[str, Any]:
    """What is shown in detail: a language or a set, as the address says."""
    parts = model_reports.parts(compared)
    wanted = visit.asked("part")
    chosen = wanted if wanted in parts else next(iter(parts), "")
    if not chosen:
        return {"parts": []}
    before, after = (model_reports.part(report, chosen) for report in (compared.before, compared.after))
    flips = {
        name: [error for error in errors if model_reports.is_in(error, chosen)]
        for name, errors in (("broken", compared.broken), ("mended", compared.mended))
    }
    return {"parts": parts, "part": chosen, "before": before, "after": after, "flips": flips}


def _is_gone(visit: Visit, model: LanguageModel) -> bool:
    """Whether its file was deleted, because it was old and nobody needed it, or by accident."""
    return not language_models.file_of(visit.house.models_dir, model.name).is_file()


WIDTH, HEIGHT, LOWEST = 600, 120, 0.5  # of the picture of scores over time; macro-F1 at its lower edge


def _line(models: Any, language: str) -> list[tuple[float, float, float]]:
    """The scores as points of a picture, the oldest on the left: x, y and the score itself."""
    scores = [score for model in reversed(models) if (score := language_models.macro_f1(model, language)) is not None]
    step = WIDTH / max(1, len(scores) - 1)
    return [
        (round(place * step, 1), round(HEIGHT * (1 - max(score, LOWEST)) / (1 - LOWEST), 1), score)
        for place, score in enumerate(scores)
    ]


DOORS = (
    page(HOME, listing, Right.TEACH),
    page(f"{HOME}/{{id:int}}", one, Right.TEACH, shows="model"),
    deed(f"{HOME}/train", train, Right.TRAIN, act="train", object="training"),
    deed(f"{HOME}/runs/{{id:int}}/cancel", cancel, Right.TRAIN, act="cancel", object="training"),
    deed(f"{HOME}/promote", promote, Right.TRAIN, act="promote", object="label"),
    deed(f"{HOME}/{{id:int}}/measure", measure, Right.TRAIN, act="measure", object="model"),
    deed(f"{HOME}/{{id:int}}/activate", activate, Right.SERVE, act="activate", object="model"),
    deed(f"{HOME}/rollback", roll_back, Right.SERVE, act="roll_back", object="model"),
)
