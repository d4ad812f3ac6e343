"""The domain inside a model, read once by whoever loads it: the server (nlu/patches.py) and the tools.

Rasa parses it four times and checks its schema again, all in Python: most of a load.
"""

from typing import Any, Dict, Type

from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.graph_components.providers.domain_provider import DomainProvider
from rasa.shared.core.domain import Domain
from rasa.shared.utils import io


def read_once() -> None:
    """Have Rasa do so from now on."""
    DomainProvider.load = classmethod(_load)


def _load(
    cls: Type[DomainProvider], config: Dict, model_storage: ModelStorage, resource: Resource, *_: Any, **__: Any
) -> DomainProvider:
    with model_storage.read_from(resource) as folder:
        domain = Domain.from_dict(io.read_yaml((folder / "domain.yml").read_text(encoding="utf-8")))
    return cls(model_storage, resource, domain)
