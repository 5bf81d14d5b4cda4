"""The `workbench` command. Results go to standard output, progress and errors to standard error."""

from __future__ import annotations

import typer

from workbench.cli import figures, imports, report, risingwave, servers, serving, user
from workbench.cli.bench import bench
from workbench.cli.shared import errors
from workbench.errors import WorkbenchError
from workbench.locale import english, speak_english
from workbench.servers.disk import full_in_words

__all__ = ["app", "main"]
app = typer.Typer(
    help="Sales workbench: forms that write to a PostgreSQL master, pages that read its replica.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    servers.up,
    servers.down,
    servers.status,
    servers.migrate,
    servers.sample,
    servers.undo_sample,
    serving.serve,
    serving.demo,
    serving.lab,
    figures.verify,
    report.report,
    figures.export,
    imports.undo_import,
    bench,
)
for command in COMMANDS:
    app.command()(command)
app.command("import")(imports.import_file)
app.add_typer(risingwave.app, name="risingwave")
app.add_typer(servers.passwords, name="passwords")
app.add_typer(user.app, name="user")
app.add_typer(imports.catalogue_app, name="catalogue")


def main() -> None:
    """Runs the command: exit code 0, or one line on standard error and 1."""
    speak_english()  # its lines are searched for, kept in logs and read by programs
    try:
        with full_in_words("."):
            app()
    except WorkbenchError as error:
        errors.print(f"workbench: {english(error)}", style="red", markup=False)
        raise SystemExit(1) from None
