"""One function per kind of update; all run in the worker's transaction and call the service."""
