"""Change the model that is served while people talk: it is fetched and built beside the event loop.

Rasa asks its model server (`models` in endpoints.yml) for another model by itself, but unpacks and builds it on the
event loop, so for a second nobody is answered; and a file that is broken it fetches and reports anew at every poll.
"""

import asyncio
import copy
import ctypes
import gc
import logging
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, Optional

from rasa.core import agent as rasa_agent
from rasa.core.agent import Agent
from rasa.core.processor import MessageProcessor
from rasa.utils.endpoints import EndpointConfig

logger = logging.getLogger(__name__)

FETCH_WITHIN = 30.0  # seconds for a file of some megabytes from the next machine
BROKEN_FOR = 60.0  # seconds until a broken file is fetched again: somebody may have put a good one in its place
ONE_ARENA = (-8, 1)  # M_ARENA_MAX of glibc's malloc.h: memory that one thread gave back is found by the next

_builder = ThreadPoolExecutor(1, thread_name_prefix="model")
_broken: Dict[str, float] = {}  # ETag → when it may be tried again
_replaced: list = []  # models that were put in place since the last collection
_reported: set = set()  # what has been logged, so that it is not logged every two seconds


async def update_model(server: EndpointConfig, agent: Agent) -> None:
    """Serve the model server's model if it is another one; whatever goes wrong, the present one keeps serving.

    Args:
        server: answers GET with a model's file, its ETag, and 304 when the ETag is known.
        agent: what every turn is answered with.
    """
    await _settle_memory(agent)
    with tempfile.TemporaryDirectory(prefix="guanjia-model-") as folder:
        etag = await _fetch(server, agent, folder)
        if etag is not None:
            await _swap(agent, etag, folder)
    if not agent.is_ready():
        _report_once(logger.warning, f"No model yet: {server.url} is asked until it gives one")


async def _fetch(server: EndpointConfig, agent: Agent, folder: str) -> Optional[str]:
    """Put the file into the folder and return its ETag; None when there is no news, or no answer."""
    now = time.monotonic()
    known = [agent.fingerprint, *(etag for etag, until in _broken.items() if until > now)]
    pull = rasa_agent._pull_model_and_fingerprint(server, ", ".join(known), folder)
    try:
        return await asyncio.wait_for(pull, FETCH_WITHIN)
    except (asyncio.TimeoutError, OSError):  # a server that hangs is as good as none
        return None


async def _swap(agent: Agent, etag: str, folder: str) -> None:
    loop = asyncio.get_running_loop()
    try:
        processor = await loop.run_in_executor(_builder, _build, agent, folder)
    except Exception as error:  # noqa: BLE001  (a file can be broken in every way)
        _broken[etag] = time.monotonic() + BROKEN_FOR
        _report_once(logger.error, f"Model {etag} cannot be loaded, the present one stays: {type(error).__name__}")
        return
    _broken.pop(etag, None)
    _put_in_place(agent, processor, etag)
    _replaced.append(etag)
    logger.info("Model %s is served now", etag)


def _build(agent: Agent, folder: str) -> MessageProcessor:
    (file,) = Path(folder).iterdir()
    processor = MessageProcessor(
        model_path=file,
        tracker_store=agent.tracker_store,
        lock_store=agent.lock_store,
        action_endpoint=agent.action_endpoint,
        generator=copy.copy(agent.nlg),
        http_interpreter=agent.http_interpreter,
    )
    processor.nlg.responses = processor.domain.responses
    return processor


def _put_in_place(agent: Agent, processor: MessageProcessor, etag: str) -> None:
    """Swap in one step of the event loop; a turn that has begun ends with the model it began with."""
    agent.processor, agent.nlg, agent.domain = processor, processor.nlg, processor.domain
    agent.tracker_store.domain = processor.domain
    agent._set_fingerprint(etag)


async def _settle_memory(agent: Agent) -> None:
    """Keep what was imported out of every collection; collect an old model once the turns it had begun have ended.

    A model refers to itself, so it would stay until Python collects by chance, beside the two after it.
    """
    if not agent.is_ready():
        _libc("mallopt", *ONE_ARENA)
        gc.collect()
        gc.freeze()
    elif _replaced:
        _replaced.clear()
        await asyncio.get_running_loop().run_in_executor(_builder, _give_memory_back)


def _give_memory_back() -> None:
    gc.collect()
    _libc("malloc_trim", 0)


def _libc(function: str, *arguments: int) -> None:
    """Call glibc; other systems have nothing to call, and no arenas to mind."""
    call: Any = getattr(ctypes.CDLL(None), function, None)
    if call is not None:
        call(*arguments)


def _report_once(log: Callable[[str], None], words: str) -> None:
    if words not in _reported:
        _reported.add(words)
        log(words)
