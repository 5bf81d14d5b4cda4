"""Commands for accounts: user add, list, change, disable, enable, reset."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from workbench.cli.shared import AsJson, configured, say, with_engines
from workbench.config import Settings
from workbench.errors import AccountError

if TYPE_CHECKING:
    from workbench.accounts.accounts import Account
    from workbench.database.engines import Engines

app = typer.Typer(help="Who may log in to the app, and what they may do there.", no_args_is_help=True)


class RoleName(StrEnum):
    """What an account may do."""

    viewer = "viewer"
    editor = "editor"
    admin = "admin"


Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name, as it is typed at the login.")]
Role = Annotated[RoleName, typer.Option(help="viewer sees; editor writes the newest sales; admin does everything.")]
Stores = Annotated[
    list[int] | None,
    typer.Option("--store", help="An editor writes in this store alone; can be repeated.", min=1),
]
PasswordFile = Annotated[
    Path | None, typer.Option(help="File whose first line is the password.", exists=True, dir_okay=False)
]


@app.command()
def add(
    name: Name,
    role: Role,
    store: Stores = None,
    password_file: PasswordFile = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="An OAuth provider, which Panel knows, vouches for the name.")
    ] = False,
    unless_any: Annotated[bool, typer.Option("--unless-any", help="Only where there is no account yet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make an account; its password is asked for twice, or read from standard input or a file."""
    from workbench.accounts import accounts

    settings = configured()
    if unless_any and with_engines(settings, accounts.find_all):
        typer.echo("null" if as_json else "There are accounts already: nothing was done.")
        return
    password = None if no_password else _password(password_file)
    _done(settings, lambda engines: accounts.add(engines, name, password, role.value, store), as_json, "Made")
    _tell_who_is_asked(settings)


@app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List all accounts, disabled ones too."""
    from workbench.accounts import accounts

    settings = configured()
    found = with_engines(settings, accounts.find_all)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(account) for account in found], default=str))
        return
    if not found:
        typer.echo("There are no accounts.")
        return
    table = Table("name", "role", "stores", "made", "disabled", box=None, pad_edge=False)
    for account in found:
        gone = "" if account.disabled_at is None else settings.clock.text(account.disabled_at)
        made = settings.clock.text(account.created_at)
        table.add_row(account.account_name, account.role, _stores(account), made, gone)
    Console(width=110, markup=False).print(table)


@app.command()
def change(name: Name, role: Role, store: Stores = None, as_json: AsJson = False) -> None:
    """Give an account another role, and an editor the stores; pages that are open go by it within seconds."""
    from workbench.accounts import accounts

    _done(configured(), lambda engines: accounts.change(engines, name, role.value, store), as_json, "Changed")


@app.command()
def disable(name: Name, as_json: AsJson = False) -> None:
    """Let an account log in no more; its pages that are open are closed within seconds."""
    from workbench.accounts import accounts

    _done(configured(), lambda engines: accounts.set_disabled(engines, name, True), as_json, "Disabled")


@app.command()
def enable(name: Name, as_json: AsJson = False) -> None:
    """Let an account log in again."""
    from workbench.accounts import accounts

    _done(configured(), lambda engines: accounts.set_disabled(engines, name, False), as_json, "Enabled")


@app.command()
def reset(name: Name, password_file: PasswordFile = None, as_json: AsJson = False) -> None:
    """Give an account another password, and end its logins."""
    from workbench.accounts import accounts

    password = _password(password_file)
    _done(configured(), lambda engines: accounts.reset_password(engines, name, password), as_json, "New password for")


def _password(file: Path | None) -> str:
    """Typed twice and not shown, or the first line of a file or of what is piped in; never an argument (`ps`)."""
    if file is not None:
        return _first_line(file.read_text(encoding="utf-8"))
    if not sys.stdin.isatty():
        return _first_line(sys.stdin.read())
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True))


def _first_line(text: str) -> str:
    line = text.splitlines()[0] if text else ""
    if not line:
        raise AccountError("There is no password: its first line is empty.")
    return line


def _done(settings: Settings, work: Callable[[Engines], Account], as_json: bool, what: str) -> None:
    account = with_engines(settings, work)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(account), default=str))
    else:
        typer.echo(f"{what} {account.account_name}: {account.role}, {_stores(account)}.")


def _stores(account: Account) -> str:
    return "all stores" if account.stores is None else f"store {', '.join(map(str, account.stores)) or 'none'}"


def _tell_who_is_asked(settings: Settings) -> None:
    if settings.workbench_login == "auto":
        say("The app on 127.0.0.1 asks nobody to log in; WORKBENCH_LOGIN=accounts has it ask there too.")
