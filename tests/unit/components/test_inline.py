"""What a page that is being built wants done waits until it is shown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from workbench.components.inline import building, when_shown


def test_what_is_wanted_while_a_page_is_built_on_a_thread_is_done_after_it() -> None:
    done: list[str] = []

    def build() -> None:
        when_shown(lambda: done.append("wanted"))
        done.append("built")

    with building(), ThreadPoolExecutor(1) as thread:
        thread.submit(copy_context().run, build).result()
    when_shown(lambda: done.append("later"))
    assert done == ["built", "wanted", "later"]
