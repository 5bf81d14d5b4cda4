"""Nothing of the program needs a browser to evaluate a text: the policy of its pages has none evaluated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "workbench"
EVALUATED = re.compile(
    r"\bCustomJS\w*\(|\bReactiveHTML\b|\bpn\.(FlexBox|GridStack|FloatPanel|Swipe)\(|\.js(link|callback)\(|\.js_on_"
)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_uses_what_is_evaluated(path: Path) -> None:
    """In its place: a component of its own (JSComponent), `components.html.flow`, shell/without_eval.js."""
    assert EVALUATED.findall(path.read_text(encoding="utf-8")) == []
