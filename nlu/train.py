"""Train a model: `nlu/.venv/bin/python nlu/train.py --out models`.

The model is named after what it was made from, `guanjia-<hash>.tar.gz`; when that file exists there is nothing to do.
Prints `component i/n name` as it goes and `model <path>` at the end. Exit code 0, or 1 with the reason on stderr.
"""

import argparse
import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Iterator

import launcher

HOME = launcher.HOME
RECIPE = ("components/*.py", "lexicon/*.yml", "exams/chat.jsonl")  # data is not all a model is made of


def main() -> None:
    """Train as the command line says."""
    arguments = _arguments()
    model = arguments.out / f"guanjia-{fingerprint(arguments)}.tar.gz"
    if model.exists():
        print(f"model {model} (up to date)")
        return
    train(arguments, model)
    print(f"model {model}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", default=[HOME / "data"], help="files or folders")
    parser.add_argument("--domain", type=Path, default=HOME.parent / "domain.yml", help="file or folder")
    parser.add_argument("--config", type=Path, default=HOME / "config.yml")
    parser.add_argument("--out", type=Path, default=HOME.parent / "models", help="folder of the models")
    return parser.parse_args()


def fingerprint(arguments: argparse.Namespace) -> str:
    """Return twelve hex digits of everything a model is made of, file names left out."""
    digest = hashlib.sha256()
    for path in _ingredients(arguments):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _ingredients(arguments: argparse.Namespace) -> Iterator[Path]:
    for given in (arguments.domain, arguments.config, *arguments.data):
        if not given.exists():
            sys.exit(f"train: no such file or folder: {given}")
        yield from sorted(given.rglob("*.y*ml")) if given.is_dir() else [given]
    for pattern in RECIPE:
        yield from sorted(HOME.glob(pattern))


def train(arguments: argparse.Namespace, model: Path) -> None:
    """Train into a folder beside the model and move the file into place, so that no reader sees half of one."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".training-", dir=arguments.out) as folder:
        os.environ["RASA_CACHE_DIRECTORY"] = f"{folder}/cache"
        launcher.prepare()
        launcher.hush_tools()
        import rasa.model_training
        from rasa.shared.exceptions import RasaException

        _report_progress()
        rasa.shared.utils.cli.print_success = lambda *_: None  # it names the temporary file
        try:
            result = rasa.model_training.train(
                domain=str(arguments.domain),
                config=str(arguments.config),
                training_files=[str(path) for path in arguments.data],
                output=folder,
                force_training=True,
                fixed_model_name="model",
            )
        except RasaException as error:
            sys.exit(f"train: {error}")
        if not result or not result.model:
            sys.exit("train: Rasa made no model")
        Path(result.model).replace(model)


def _report_progress() -> None:
    """Put a hook that prints in the place of the one that logs."""
    from rasa.engine.training import graph_trainer
    from rasa.engine.training.hooks import LoggingHook

    class Progress(LoggingHook):
        """Prints `component i/n name` before a component trains."""

        started = 0

        def on_before_node(self, node_name, execution_context, config, received_inputs):
            node = self._pruned_schema.nodes[node_name]
            if self._does_node_train(node):
                self.started += 1
                total = sum(map(self._does_node_train, self._pruned_schema.nodes.values()))
                print(f"component {self.started}/{total} {node.uses.__name__}", flush=True)
            return {}

        def on_after_node(self, **_):
            """Say nothing; the next line says it."""

    graph_trainer.LoggingHook = Progress


if __name__ == "__main__":
    main()
