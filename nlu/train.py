"""Train a model: `nlu/.venv/bin/python nlu/train.py --out models`.

The model is named after what it was made from, `guanjia-<hash>.tar.gz`; when that file exists there is nothing to do.
The data is checked before Rasa sees it, and the finished model is measured on the frozen sets; what was found stands in
its certificate (nlu/certificate.py). Prints `component i/n name` as it goes and `model <path>` at the end. Exit code 0,
or 1 with the reason on stderr.

Fitting, packing by Rasa and measuring would together need twice the memory of the largest of them: each begins as a new
program in the same process, which sees from a folder how far the one before has come.
"""

import argparse
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NoReturn

import certificate
import launcher
from examples import BadData, faults, read_examples, read_intents
from fit import FITTED, fit

HOME = launcher.HOME
# Examples are not all that a model is made of.
RECIPE = ("components/*.py", "fit.py", "lexicon/*.yml", "exams/chat.jsonl", "data/danger/*.jsonl")
# In the folder of a training: what was fitted, what Rasa has made of it, and what that will be called.
INTENTS, MADE, NAME = "fitted", "model.tar.gz", "name"


def main() -> None:
    """Train as the command line says."""
    arguments = _arguments()
    if arguments.base:
        print(f"base {certificate.digest(ingredients(arguments, []))}")
    elif arguments.go_on:
        with _removed_at_last(arguments.go_on) as folder:
            (finish if (folder / MADE).exists() else pack)(arguments, folder)
    else:
        model = arguments.out / f"guanjia-{certificate.digest(ingredients(arguments, arguments.site))}.tar.gz"
        if model.exists():
            certificate.renew(model, arguments.exam)
            print(f"model {model} (up to date)")
        else:
            check(arguments)
            begin(arguments, model)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", default=[HOME / "data"], help="files or folders")
    parser.add_argument("--site", type=Path, nargs="*", default=[], help="further data, of this installation only")
    parser.add_argument("--domain", type=Path, default=HOME.parent / "domain.yml", help="file or folder")
    parser.add_argument("--config", type=Path, default=HOME / "config.yml")
    parser.add_argument("--exam", type=Path, nargs="*", default=certificate.exams(), help="JSON Lines to measure it on")
    parser.add_argument("--again", type=int, default=0, help="measure so many older models again, to be compared with")
    parser.add_argument("--out", type=Path, default=HOME.parent / "models", help="folder of the models")
    parser.add_argument("--by", help="who has it trained; this user if left out")
    parser.add_argument("--at", help="when, as ISO 8601; now if left out")
    parser.add_argument("--base", action="store_true", help="only print the hash of all but --site")
    parser.add_argument("--go-on", type=Path, help=argparse.SUPPRESS)  # the folder of a training that has begun
    arguments = parser.parse_args()
    for given in (arguments.domain, arguments.config, *arguments.data, *arguments.site, *arguments.exam):
        if not given.exists():
            sys.exit(f"train: no such file or folder: {given}")
    return arguments


def ingredients(arguments: argparse.Namespace, site: Iterable[Path]) -> Iterator[Path]:
    """Yield every file a model is made of."""
    yield from _files([arguments.domain, arguments.config, *arguments.data, *site])
    for pattern in RECIPE:
        yield from sorted(HOME.glob(pattern))


def _files(given: Iterable[Path]) -> Iterator[Path]:
    for path in given:
        yield from sorted(path.rglob("*.y*ml")) if path.is_dir() else [path]


def _older(folder: Path) -> List[Path]:
    models = folder.glob("guanjia-*.tar.gz")
    return sorted(models, key=lambda model: model.stat().st_mtime, reverse=True)[1:]


def check(arguments: argparse.Namespace) -> None:
    """Refuse data that Rasa would trip over or quietly learn wrong, naming file and line.

    Raises:
        SystemExit: every fault, one a line.
    """
    try:
        intents = read_intents(arguments.domain)
        examples = [e for path in (*arguments.data, *arguments.site) for e in read_examples(path)]
    except BadData as error:
        sys.exit(f"train: {error}")
    found = [f"train: {fault}" for fault in faults(examples, intents)]
    if not examples:
        found = [f"train: no examples in {', '.join(map(str, arguments.data))}"]
    if found:
        sys.exit("\n".join(found))


def begin(arguments: argparse.Namespace, model: Path) -> None:
    """Fit the intents into a folder beside the model that is to be, and go on."""
    launcher.prepare()
    launcher.hush()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with _removed_at_last(Path(tempfile.mkdtemp(prefix=".training-", dir=arguments.out))) as folder:
        (folder / NAME).write_text(model.name, encoding="utf-8")
        try:
            fit(arguments.config, [*arguments.data, *arguments.site], folder / INTENTS)
        except BadData as error:
            sys.exit(f"train: {error}")
        _go_on(folder)


def pack(arguments: argparse.Namespace, folder: Path) -> None:
    """Have Rasa make a model of what was fitted and of the rules of the dialogue, and go on."""
    os.environ[FITTED] = str(folder / INTENTS)
    os.environ["RASA_CACHE_DIRECTORY"] = str(folder / "cache")
    print("component 3/3 dialogue", flush=True)
    launcher.prepare()
    launcher.hush_tools()
    import rasa.model_training
    from rasa.shared.exceptions import RasaException

    _share_examples()
    rasa.shared.utils.cli.print_success = lambda *_: None  # it names the temporary file
    try:
        result = rasa.model_training.train(
            domain=str(arguments.domain),
            config=str(arguments.config),
            training_files=[str(path) for path in (*arguments.data, *arguments.site)],
            output=str(folder),
            force_training=True,
            fixed_model_name=MADE.removesuffix(".tar.gz"),
        )
    except RasaException as error:
        sys.exit(f"train: {error}")
    if not result or not result.model:
        sys.exit("train: Rasa made no model")
    _go_on(folder)


def finish(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure the model and move it into place, so that no reader sees half of one."""
    model = arguments.out / (folder / NAME).read_text(encoding="utf-8")
    if arguments.exam:
        print(f"measuring {model.name}", flush=True)
    certificate.write(model, certificate.issue(folder / MADE, arguments.exam, **_origin(arguments)))
    (folder / MADE).replace(model)
    for older in _older(arguments.out)[: arguments.again]:
        certificate.renew(older, arguments.exam)
    print(f"model {model}")


def _go_on(folder: Path) -> NoReturn:
    """Begin the next step in this process, with nothing of this one left in memory."""
    more = [] if "--go-on" in sys.argv else ["--go-on", str(folder)]
    os.execv(sys.executable, [sys.executable, *sys.argv, *more])  # noqa: S606  (this very file, and no shell)


@contextmanager
def _removed_at_last(folder: Path) -> Iterator[Path]:
    """Remove the folder when the last step has ended, or one has failed; a step that goes on does not come here."""
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _origin(arguments: argparse.Namespace) -> Dict[str, str]:
    given = {"trained_by": arguments.by, "trained_at": arguments.at}
    return {
        "base": certificate.digest(ingredients(arguments, [])),
        "data_hash": certificate.digest(_files([*arguments.data, *arguments.site])),
        **{name: value for name, value in given.items() if value},
    }


def _share_examples() -> None:
    """Read training data once, and merge it without copying it.

    Rasa copies every example for every file and importer it merges, and reads everything a second time because the
    graph names the language, which YAML does not have: seven of each are kept until the end, 100 MB.
    """
    from rasa.graph_components.providers.nlu_training_data_provider import NLUTrainingDataProvider
    from rasa.shared.importers.importer import TrainingDataImporter
    from rasa.shared.nlu.training_data.training_data import TrainingData

    def merge(self, *others):
        every = [self, *filter(None, others)]
        return TrainingData(
            [example for data in every for example in data.training_examples],
            {text: synonym for data in every for text, synonym in data.entity_synonyms.items()},
            [feature for data in every for feature in data.regex_features],
            [table for data in every for table in data.lookup_tables],
            {name: response for data in every for name, response in data.responses.items()},
        )

    def provide(self, importer: TrainingDataImporter) -> TrainingData:
        return importer.get_nlu_data()

    TrainingData.merge = merge
    NLUTrainingDataProvider.provide = provide


if __name__ == "__main__":
    main()
