"""The action server: the only room that speaks rasa_sdk; one file per topic, each action one call of the service."""
