"""Start Rasa as Guanjia runs it: `nlu/.venv/bin/python nlu/launcher.py run --model models/x.tar.gz --port 5005`.

Everything after the file name goes to Rasa; what Guanjia always wants is added: the channel, the endpoints, the
address 127.0.0.1, the token. The reasons are in docs/adr/0001-slim-rasa.md. Environment:

GUANJIA_RASA_TOKEN       shared secret of the channel and the HTTP API (required by `run`)
GUANJIA_RASA_DB_URL      PostgreSQL of the tracker store (required by `run`)
GUANJIA_ACTIONS_URL      the action server's webhook (required by `run`)
GUANJIA_MODEL_URL        who hands out the active model; without it --model names the one that is served
GUANJIA_RASA_TENSORFLOW  true: keep Rasa's TensorFlow components (needs the `tensorflow` extra)
GUANJIA_RASA_STOCK       true: no patches and no added arguments; only the pipeline is ours (benchmarks)
"""

import logging
import os
import sys
import warnings
from pathlib import Path

HOME = Path(__file__).resolve().parent  # also sys.path[0], so config.yml may say components.x, channel.x, nlg.x

QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "LOG_LEVEL_LIBRARIES": "ERROR",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
}
# One event loop serves everybody; a linear model gains nothing from threads and starves its neighbours with them.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def is_on(name: str) -> bool:
    """Read a switch from the environment."""
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


def prepare() -> None:
    """Make `import rasa` light and quiet; every entry point calls this before it imports Rasa."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if str(HOME) not in sys.path:
        sys.path.insert(0, str(HOME))
    import scalars
    import slim

    scalars.install()
    slim.install(tensorflow=is_on("GUANJIA_RASA_TENSORFLOW"))


def hush() -> None:
    """Hide what libraries of 2022 say about Python of today; filters do not last, because Sanic sets its own."""
    show = warnings.showwarning

    def show_some(message, category, *where) -> None:
        if not issubclass(category, DeprecationWarning) and "Slot auto-fill" not in str(message):
            show(message, category, *where)

    warnings.showwarning = show_some


def hush_tools() -> None:
    """For train, parse and evaluate: also no progress bars and none of Rasa's debug lines, which quote residents."""
    from rasa.utils.log_utils import configure_structlog

    hush()
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    configure_structlog(logging.WARNING)


def with_defaults(arguments: list) -> list:
    """Add to `run` what its caller did not say.

    The token comes from the environment and is added here, inside the process, so that `ps` does not show it.
    """
    if arguments[:1] != ["run"]:
        return arguments
    os.environ.setdefault("GUANJIA_MODEL_URL", "")  # endpoints.yml names it, and Rasa refuses a name without a value
    defaults = {
        "--model": str(HOME),  # not read where a model server is named, but Rasa makes the folder it would look in
        "--credentials": str(HOME / "credentials.yml"),
        "--endpoints": str(HOME / "endpoints.yml"),
        "--interface": "127.0.0.1",
        "--auth-token": os.environ.get("GUANJIA_RASA_TOKEN") or sys.exit("GUANJIA_RASA_TOKEN is not set"),
    }
    missing = [word for name, value in defaults.items() if name not in arguments for word in (name, value)]
    return [*arguments, *missing, *(["--enable-api"] if "--enable-api" not in arguments else [])]


def main() -> None:
    """Run Rasa's own command line."""
    prepare()
    hush()
    if not is_on("GUANJIA_RASA_STOCK"):
        sys.argv[1:] = with_defaults(sys.argv[1:])
        import patches

        patches.apply()
    import rasa.__main__

    rasa.__main__.main()


if __name__ == "__main__":
    main()
