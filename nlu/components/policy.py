"""The one decision Rasa's rules cannot make: to listen once the assistant has said that it did not understand."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.generator import TrackerWithCachedStates
from rasa.shared.core.trackers import DialogueStateTracker


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class ListenAfter(Policy):
    """Listens after the actions named in config.yml.

    RulePolicy falls back whenever no rule fits, so also right after its own fallback: ten times over, until a circuit
    breaker trips. A rule cannot forbid it, because it would have to name every intent.
    """

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """Return the configuration: which actions end the turn, and a priority like RulePolicy's."""
        return {"priority": 6, "actions": []}

    def train(self, training_trackers: List[TrackerWithCachedStates], domain: Domain, **kwargs: Any) -> Resource:
        """Return an empty resource; there is nothing to learn."""
        with self._model_storage.write_to(self._resource):
            return self._resource

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> ListenAfter:
        """Create the policy; there is nothing to load."""
        return cls(config, model_storage, resource, execution_context)

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: Optional[Dict[str, Any]] = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        """Predict action_listen after one of the actions, otherwise nothing."""
        probabilities = self._default_predictions(domain)
        if tracker.latest_action_name in self.config["actions"] and not tracker.active_loop:
            probabilities[domain.index_for_action(ACTION_LISTEN_NAME)] = 1.0
        return self._prediction(probabilities)
