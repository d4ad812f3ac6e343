"""Rasa without the parts Guanjia never uses.

Rasa 3.6.21 imports TensorFlow, scikit-learn, two database clients and thirteen chat channels the moment it starts,
whether or not anything needs them: 2 GB on disk, 400 MB of memory and ten seconds (docs/adr/0001-slim-rasa.md). Here
stand-ins take the place of exactly those modules before Rasa is imported. Naming one of them in config.yml,
credentials.yml or endpoints.yml fails with Rasa's own "unknown component" message.
"""

import sys
from functools import lru_cache, partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

# Every module of Rasa that imports TensorFlow when it is imported itself.
TENSORFLOW_MODULES = frozenset(
    {
        "rasa.core.policies.ted_policy",
        "rasa.core.policies.unexpected_intent_policy",
        "rasa.nlu.classifiers.diet_classifier",
        "rasa.nlu.featurizers.dense_featurizer.convert_featurizer",
        "rasa.nlu.featurizers.dense_featurizer.lm_featurizer",
        "rasa.nlu.selectors.response_selector",
        "rasa.utils.tensorflow.callback",
        "rasa.utils.tensorflow.data_generator",
    }
)

# Every other component that imports scikit-learn when it is imported itself; ours does when it trains.
SKLEARN_MODULES = frozenset(
    {
        "rasa.nlu.classifiers.logistic_regression_classifier",
        "rasa.nlu.extractors.crf_entity_extractor",
        "rasa.nlu.featurizers.sparse_featurizer.count_vectors_featurizer",
        "rasa.utils.tensorflow.model_data",
    }
)

# Clients of databases that Rasa could keep its trackers in; ours are in PostgreSQL.
UNUSED_CLIENTS = frozenset(
    {
        *("boto3", "boto3.dynamodb", "boto3.dynamodb.conditions"),
        *("pymongo", "pymongo.collection", "pymongo.errors"),
    }
)

# Rasa's own chat channels, less the two it needs itself and REST, which benchmarks use; and what draws with matplotlib.
UNUSED_CHANNELS = """
    socketio botframework callback facebook mattermost rasa_chat rocketchat slack telegram twilio twilio_voice
    webexteams hangouts
"""
UNUSED_MODULES = UNUSED_CLIENTS | {"rasa.utils.plotting"} | {f"rasa.core.channels.{c}" for c in UNUSED_CHANNELS.split()}


class StandInFinder(MetaPathFinder, Loader):
    """Answers the import of a named module with one whose every attribute is an empty class."""

    def __init__(self, names: frozenset) -> None:
        self.names = names

    def find_spec(self, fullname, path=None, target=None):
        """Claim only the modules named at construction; everything else is imported as usual."""
        return ModuleSpec(fullname, self, is_package=True) if fullname in self.names else None

    def create_module(self, spec):
        """Let Python make the module object."""
        return None

    def exec_module(self, module) -> None:
        """Give the module the one behaviour a stand-in needs; a name stands for the same class every time."""
        module.__getattr__ = lru_cache(maxsize=None)(partial(_stand_in, module.__name__))


def _stand_in(module: str, attribute: str) -> type:
    """Make the empty class that `from module import attribute` receives.

    Rasa asks a channel class for `name()` while it lists the channels it knows, so every stand-in has one. Errors are
    exceptions, because Rasa names them where it catches.
    """
    if attribute.startswith("__"):
        raise AttributeError(attribute)
    label = f"{module}.{attribute}"
    kind = (Exception,) if module.endswith(".errors") else ()
    return type(attribute, kind, {"__module__": module, "name": classmethod(lambda cls: label)})


def install(*, tensorflow: bool = False) -> None:
    """Put the stand-ins in front of the import system; call it before the first `import rasa`.

    Args:
        tensorflow: keep all of Rasa's own components, because the `tensorflow` extra is installed and wanted.
    """
    names = UNUSED_MODULES if tensorflow else UNUSED_MODULES | TENSORFLOW_MODULES | SKLEARN_MODULES
    sys.meta_path.insert(0, StandInFinder(names))
