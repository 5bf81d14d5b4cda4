"""Panel 1.9 now and then leaves what it has queued for a browser until the next change: a button stays busy, a message
does not come. Its writer clears the mark "there is more to write" after waiting for the socket, also when more was
queued in that time; the run that was started for it then finds no mark and does nothing. Delete when
tests/unit/components/test_pending_writes.py fails; nobody seems to have reported it.
"""

from __future__ import annotations

from bokeh.document import Document
from panel.io import document


def deliver_all_writes() -> None:
    """Sets the mark again whenever something is queued. Called once a process."""
    dispatch = document._dispatch_msgs

    async def dispatch_all(doc: Document) -> None:
        if doc in document._WRITE_MSGS:
            document._WRITE_BLOCK[doc] = True
        await dispatch(doc)

    document._dispatch_msgs = dispatch_all
