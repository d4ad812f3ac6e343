"""What an evaluation found, as figures, as text and as a picture: pure, from outcomes."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

CONFUSIONS_SHOWN = 15
BINS = 10  # of confidence, for the calibration error
MAIN_KINDS = ("repair", "complaint", "inquiry")


class Outcome(NamedTuple):
    """One labelled message and what was made of it."""

    text: str
    language: str
    intent: str
    predicted: str
    confidence: float
    threshold: float = 0.0  # below it the dialogue asks again instead of believing the guess
    set: str = ""  # the file it stands in, without its ending


def report(outcomes: List[Outcome], kinds: Mapping[str, str]) -> Dict[str, Any]:
    """Return all figures: over everything, per language and per set.

    Args:
        outcomes: at least one.
        kinds: the kind of every intent, as service/kinds.py maps them; empty leaves the kinds out.
    """
    found = _figures(outcomes, kinds)
    languages = sorted({outcome.language for outcome in outcomes})
    found["languages"] = {
        language: _figures([outcome for outcome in outcomes if outcome.language == language], kinds)
        for language in languages
    }
    sets = sorted({outcome.set for outcome in outcomes if outcome.set})
    found["sets"] = {name: _figures([o for o in outcomes if o.set == name], kinds) for name in sets}
    found["errors"] = [
        {
            "text": o.text,
            "intent": o.intent,
            "predicted": o.predicted,
            "confidence": round(o.confidence, 4),
            "set": o.set,
            "language": o.language,
        }
        for o in outcomes
        if o.intent != o.predicted
    ]
    return found


def _figures(outcomes: Sequence[Outcome], kinds: Mapping[str, str]) -> Dict[str, Any]:
    truth, predicted = [o.intent for o in outcomes], [o.predicted for o in outcomes]
    rows = scores(truth, predicted, sorted(set(truth)))
    wrong = Counter((o.intent, o.predicted) for o in outcomes if o.intent != o.predicted)
    return {
        **_summary(outcomes),
        "calibration_error": round(calibration_error(outcomes), 4),
        "calibration": calibration(outcomes),
        "unsure": round(_mean(o.confidence < o.threshold for o in outcomes), 4),
        "right_when_sure": round(_mean(o.intent == o.predicted for o in outcomes if o.confidence >= o.threshold), 4),
        "intents": {name: {key: round(value, 4) for key, value in row.items()} for name, row in rows.items()},
        "kinds": _kinds(truth, predicted, kinds) if kinds else None,
        "confusions": [{"intent": t, "predicted": p, "messages": n} for (t, p), n in wrong.most_common()],
    }


def _summary(outcomes: Sequence[Outcome]) -> Dict[str, Any]:
    truth, predicted = [o.intent for o in outcomes], [o.predicted for o in outcomes]
    rows = scores(truth, predicted, sorted(set(truth)))
    return {
        "messages": len(outcomes),
        "macro_f1": round(_mean(row["f1"] for row in rows.values()), 4),
        "accuracy": round(_mean(t == p for t, p in zip(truth, predicted, strict=True)), 4),
    }


def scores(truth: Sequence[str], predicted: Sequence[str], names: Iterable[str]) -> Dict[str, Dict[str, float]]:
    """Return precision, recall, F1 (0 where there is nothing to divide by) and messages per name."""
    right = Counter(t for t, p in zip(truth, predicted, strict=True) if t == p)
    meant, guessed = Counter(truth), Counter(predicted)
    return {
        name: {
            "precision": right[name] / max(1, guessed[name]),
            "recall": right[name] / max(1, meant[name]),
            "f1": 2 * right[name] / max(1, guessed[name] + meant[name]),
            "messages": meant[name],
        }
        for name in names
    }


def _kinds(truth: Sequence[str], predicted: Sequence[str], kinds: Mapping[str, str]) -> Dict[str, Any]:
    """Return the scores of the three kinds that a front desk sorts into; a label may be a kind already."""
    meant = [kinds.get(name, name) for name in truth]
    guessed = [kinds.get(name, "other") for name in predicted]
    rows = scores(meant, guessed, MAIN_KINDS)
    return {
        "macro_f1": round(_mean(row["f1"] for row in rows.values()), 4),
        **{name: {key: round(value, 4) for key, value in row.items()} for name, row in rows.items()},
    }


def calibration_error(outcomes: Sequence[Outcome]) -> float:
    """Return the expected calibration error: how far confidence is from being right, over bins of confidence.

    Guo et al., On Calibration of Modern Neural Networks (2017), equation 3.
    """
    rows = calibration(outcomes, digits=15)
    return sum(row["messages"] / len(outcomes) * abs(row["right"] - row["confidence"]) for row in rows)


def calibration(outcomes: Sequence[Outcome], digits: int = 4) -> List[Dict[str, float]]:
    """Return how often the model is right when it is so sure, a row a bin of confidence that has messages."""
    bins: Dict[int, List[Outcome]] = {}
    for outcome in outcomes:
        bins.setdefault(min(int(outcome.confidence * BINS), BINS - 1), []).append(outcome)
    return [
        {
            "from": place / BINS,
            "messages": len(members),
            "right": round(_mean(o.intent == o.predicted for o in members), digits),
            "confidence": round(_mean(o.confidence for o in members), digits),
        }
        for place, members in sorted(bins.items())
    ]


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values) if values else 0.0


def as_text(found: Dict[str, Any]) -> str:
    """Return the report for a person."""
    lines = [_line("all", found), *(_line(name, part) for name, part in found["languages"].items())]
    lines += ["", f"{'intent':18}{'precision':>10}{'recall':>8}{'f1':>8}{'messages':>10}"]
    rows = [*found["intents"].items(), *_kind_rows(found)]
    lines += [
        f"{name:18}{row['precision']:10.3f}{row['recall']:8.3f}{row['f1']:8.3f}{row['messages']:10}"
        for name, row in rows
    ]
    lines += ["", "most confused"]
    lines += [f"{c['messages']:5}  {c['intent']} -> {c['predicted']}" for c in found["confusions"][:CONFUSIONS_SHOWN]]
    if "latency_ms" in found:
        lines += [
            "",
            "parse, one at a time: p50 {p50} ms, p99 {p99} ms, longest {longest} ms".format(**found["latency_ms"]),
        ]
    return "\n".join(lines)


def _line(name: str, part: Mapping[str, Any]) -> str:
    return (
        f"{name:4} messages {part['messages']:5}  macro-F1 {part['macro_f1']:.3f}  accuracy {part['accuracy']:.3f}"
        f"  calibration error {part['calibration_error']:.3f}  unsure {part['unsure']:.3f}"
        f"  right when sure {part['right_when_sure']:.3f}"
    )


def _kind_rows(found: Mapping[str, Any]) -> List[Tuple[str, Mapping[str, float]]]:
    return [(f"kind {name}", found["kinds"][name]) for name in MAIN_KINDS] if found["kinds"] else []


def draw_confusions(outcomes: Sequence[Outcome], path: Path) -> None:
    """Draw the confusion matrix: a row per intent, its share in every predicted intent.

    Args:
        outcomes: at least one.
        path: where the picture goes; its ending says which kind.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = sorted({o.intent for o in outcomes} | {o.predicted for o in outcomes})
    counted = Counter((o.intent, o.predicted) for o in outcomes)
    meant = Counter(o.intent for o in outcomes)
    shares = [[counted[row, column] / max(1, meant[row]) for column in names] for row in names]
    figure, axes = plt.subplots(figsize=(10, 9))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("understood as")
    axes.set_ylabel("meant")
    for y, row in enumerate(names):
        for x, column in enumerate(names):
            if counted[row, column]:
                colour = "white" if shares[y][x] > 0.6 else "black"
                axes.text(x, y, counted[row, column], ha="center", va="center", fontsize=8, color=colour)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
