"""Threads for callbacks, so that a slow query of one session holds up no other; those of one session keep their order.

Panel's own pool (--num-threads) runs a click beside the change of a field that came before it, and the click's callback
then now and then reads what the field held earlier. Here the callbacks of a session run one after another. Panel has no
public way to give it a pool, so this module uses two of its private names.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from bokeh.document import Document
from panel.io.state import state

THREADS = 8

Task = tuple["Future[Any]", Callable[[], Any]]


class SessionPool(ThreadPoolExecutor):
    """A thread pool that never runs two tasks of one document at once, and runs them in the order they came in."""

    def __init__(self) -> None:
        super().__init__(max_workers=THREADS, thread_name_prefix="session")
        self._waiting: WeakKeyDictionary[Document, deque[Task]] = WeakKeyDictionary()
        self._waiting_lock = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queues ``fn`` behind the other tasks of its document; a task of no document runs as soon as it can."""
        document = _document(fn, args)
        if document is None:
            return super().submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        with self._waiting_lock:
            tasks = self._waiting.setdefault(document, deque())
            tasks.append((future, partial(fn, *args, **kwargs)))
            is_first = len(tasks) == 1
        if is_first:
            super().submit(self._run, document)
        return future

    def _run(self, document: Document) -> None:
        """Runs a document's tasks until none is left; a task stays in the queue until it is done."""
        tasks = self._waiting[document]
        while True:
            future, task = tasks[0]
            _fulfil(future, task)
            with self._waiting_lock:
                tasks.popleft()
                if not tasks:
                    return


def _fulfil(future: Future[Any], task: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = task()
    except BaseException as error:  # noqa: BLE001 - as ThreadPoolExecutor does: it is raised where the result is asked
        future.set_exception(error)
    else:
        future.set_result(result)


def _document(fn: Callable[..., Any], args: tuple[Any, ...]) -> Document | None:
    """The document that Panel submits ``fn`` for: among its arguments, or else the current one."""
    given = (*args, *fn.args) if isinstance(fn, partial) else args
    return next((a for a in given if isinstance(a, Document)), None) or state.curdoc


def use_session_pool() -> SessionPool:
    """Puts the pool in the place of Panel's, with or without --num-threads. Called once a process."""
    # Panel derives state.busy from its counter by unlocking a read-only parameter, which two threads at once break: the
    # error comes before the event is handled, and a click is lost. Nothing here shows state.busy, so it is not derived.
    for watcher in list(state.param.watchers.get("_busy_counter", {}).get("value", [])):
        state.param.unwatch(watcher)
    pool = SessionPool()
    state._thread_pool = pool  # type: ignore[assignment]
    return pool
