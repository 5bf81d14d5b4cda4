"""The threads of callbacks: order within a session, none between sessions."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest
from bokeh.document import Document

from workbench.shell.session_pool import SessionPool

WAIT_SECONDS = 10


@pytest.fixture
def pool() -> Iterator[SessionPool]:
    made = SessionPool()
    yield made
    made.shutdown()


def test_tasks_of_a_document_run_in_order_and_never_at_once(pool: SessionPool) -> None:
    document, done, running, overlaps = Document(), [], threading.Lock(), []

    def task(number: int, _document: Document) -> None:
        if not running.acquire(blocking=False):
            overlaps.append(number)
            return
        time.sleep(random.random() / 500)
        done.append(number)
        running.release()

    futures = [pool.submit(task, number, document) for number in range(200)]
    for future in futures:
        future.result(timeout=WAIT_SECONDS)
    assert done == list(range(200))
    assert not overlaps


def test_a_slow_document_holds_up_no_other(pool: SessionPool) -> None:
    slow, quick, release = Document(), Document(), threading.Event()
    waiting = pool.submit(lambda document: release.wait(WAIT_SECONDS), slow)
    assert pool.submit(lambda document: "answer", quick).result(timeout=WAIT_SECONDS) == "answer"
    assert pool.submit(lambda: "of no session").result(timeout=WAIT_SECONDS) == "of no session"
    assert not waiting.done()
    release.set()
    assert waiting.result(timeout=WAIT_SECONDS)


def test_a_failed_task_tells_its_error_and_the_next_runs(pool: SessionPool) -> None:
    document = Document()
    failing = pool.submit(lambda document: 1 / 0, document)
    following = pool.submit(partial(lambda document, word: word, document, "next"))
    with pytest.raises(ZeroDivisionError):
        failing.result(timeout=WAIT_SECONDS)
    assert following.result(timeout=WAIT_SECONDS) == "next"


def test_a_document_is_forgotten_once_it_is_gone(pool: SessionPool) -> None:
    for _ in range(5):
        pool.submit(lambda document: None, Document()).result(timeout=WAIT_SECONDS)
    end = time.monotonic() + WAIT_SECONDS
    while len(pool._waiting) > 0 and time.monotonic() < end:
        pool.submit(lambda: None).result(timeout=WAIT_SECONDS)  # the worker lets go of its last task when it gets one
    assert len(pool._waiting) == 0
