"""A notice is on the page while there is something to say."""

from __future__ import annotations

from workbench.components.notice import Notice


def test_what_was_closed_is_said_again() -> None:
    notice = Notice(closeable=True)
    place = notice.__panel__()
    assert not place.visible and not place.objects
    notice.say("There is no tab")
    (first,) = place.objects
    first.closed = True
    notice.say("There is no tab")
    (second,) = place.objects
    assert (second.title, second.closed, place.visible) == ("There is no tab", False, True)
    notice.say("")
    assert not place.visible and not place.objects
