"""Where people have to log in, and where the way on leads once they have."""

from __future__ import annotations

import pytest

from workbench.components.signed_in import needs_login
from workbench.config import Settings
from workbench.shell.login import place_on_site


@pytest.mark.parametrize(
    "text",
    [
        *(
            "http://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/a\nb",
        ),
        *("https:/evil.example", "", "sales", "/\t/evil.example", "/login", "/logout?x", "/desks"),
    ],
)
def test_the_way_on_stays_on_site(text: str) -> None:
    assert place_on_site(text, "") == ("/desks" if text == "/desks" else "/")
    assert place_on_site(text, "/desk") == "/desk/"
    assert place_on_site("/desk/sales?tab=view", "/desk") == "/desk/sales?tab=view"


@pytest.mark.parametrize(
    ("address", "changes", "is_needed"),
    [
        ("127.0.0.1", {}, False),
        ("localhost", {}, False),
        ("::1", {"workbench_allowed_hosts": "localhost:7000"}, False),
        ("127.0.0.1", {"workbench_allowed_hosts": "sales.example.com"}, True),
        ("127.0.0.1", {"workbench_login": "accounts"}, True),
        ("0.0.0.0", {}, True),
        ("::", {}, True),
        ("192.0.2.7", {}, True),
        ("sales.example.com", {}, True),
        (None, {}, True),  # Panel's own choice: everywhere
    ],
)
def test_a_login_is_needed_where_others_reach_the_app(
    address: str | None, changes: dict[str, str], is_needed: bool
) -> None:
    assert needs_login(address, Settings(_env_file=None, **changes)) is is_needed
