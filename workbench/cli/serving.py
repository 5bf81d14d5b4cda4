"""Commands that serve: the app, a demo of it, and JupyterLab on the notebooks."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.servers import sample_if_empty, started
from workbench.cli.shared import LOOPBACK, Seed, configured, logged_settings, refuse_taken, say, serve_command
from workbench.config import MOST_PROCESSES, Settings, child_environment
from workbench.errors import NotInstalled, SettingsError

DEMO_SALES = 50_000


def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on [default: WORKBENCH_PORT]", min=1)] = None,
    address: Annotated[
        str, typer.Option(help="Address to listen on. On another than this people have to log in: `workbench user`.")
    ] = LOOPBACK,
    processes: Annotated[
        int,
        typer.Option(help="How many processes share the port, and the pages among them.", min=1, max=MOST_PROCESSES),
    ] = 1,
) -> None:
    """Serve the app on 127.0.0.1 until Ctrl-C."""
    settings = configured()
    _serve(port or settings.workbench_port, settings, address, processes)


def demo(seed: Seed = 42) -> None:
    """Start everything: servers, migrations, sample sales if there are none, and the app."""
    settings = started()
    sample_if_empty(settings, DEMO_SALES, seed)
    _serve(settings.workbench_port, settings)


def _serve(port: int, settings: Settings, address: str = LOOPBACK, processes: int = 1) -> None:
    """Becomes Panel's own server, or starts several that share a port."""
    refuse_taken(port, "set WORKBENCH_PORT to a free port", address)
    if processes > 1:
        from workbench.cli import shared_port

        shared_port.serve(settings, port, address, processes)
        return
    typer.echo(f"Starting on http://{address}:{port}  (Ctrl-C stops the app; `workbench down` stops the servers)")
    sys.stdout.flush()
    os.execv(sys.executable, serve_command(port, settings, address))


PORT = 8888
NEEDED = ("jupyterlab", "jupyter_bokeh")
PACKAGE = Path(__file__).parents[1]
# Nothing may leave the machine: there, news and looks for newer versions are off; a flag does so for extensions.
CONFIG = Path(__file__).with_name("jupyter")


def lab(
    folder: Annotated[Path | None, typer.Argument(help="Notebooks of your own.", file_okay=False, exists=True)] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    sample_sales: Annotated[int, typer.Option("--sample", help="Load this many sample sales if there are none.")] = 0,
    seed: Seed = 42,
) -> None:
    """Open the notebooks in JupyterLab, on 127.0.0.1 with a token; starts the embedded servers as `up` does."""
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise NotInstalled(
            f"{missing[0]} is not installed: it comes with the extra `notebooks`."
            " Run `pip install 'sales-workbench[notebooks]'`."
        )
    refuse_unwritable_home()
    refuse_taken(port, "give a free one with --port")
    given = logged_settings()
    settings = started()
    if sample_sales:
        sample_if_empty(settings, sample_sales, seed)
    arguments = ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    arguments += [
        "--ServerApp.allow_remote_access=False",  # unknown hosts are refused, whatever a configuration says
        "--LabApp.extension_manager=readonly",
        f"--ServerApp.root_dir={(folder or working_folder()).resolve()}",
    ]
    if no_browser:
        arguments.append("--no-browser")
    if os.name == "posix" and os.geteuid() == 0:
        arguments.append("--allow-root")
    sys.stdout.flush()
    environment = child_environment(given)
    others = environment.get("JUPYTER_CONFIG_PATH")
    environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join([str(CONFIG), *([others] if others else [])])
    os.execve(sys.executable, [sys.executable, "-m", "jupyterlab", *arguments], environment)


def refuse_unwritable_home() -> None:
    """Raises SettingsError when JupyterLab could not keep its settings and its list of kernels anywhere."""
    from jupyter_core import paths

    try:
        for folder in (paths.jupyter_config_dir(), paths.jupyter_data_dir(), paths.jupyter_runtime_dir()):
            Path(folder).mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home at all
        what = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        raise SettingsError(
            f"JupyterLab cannot keep its files in your home folder ({what}). Set HOME, or JUPYTER_CONFIG_DIR and"
            " JUPYTER_DATA_DIR, to folders that you may write to."
        ) from None


def notebooks_folder() -> Path:
    """The notebooks as they came: inside an installed package, beside it in a checkout."""
    inside = PACKAGE / "notebooks"
    return inside if inside.is_dir() else PACKAGE.parent / "notebooks"


def working_folder() -> Path:
    """Where the notebooks are worked on: a checkout's own, else copies in ``notebooks`` below the current folder.

    What was written into an installed package would go with its next version. A copy that is there is left as it is.
    """
    came = notebooks_folder()
    if came.parent != PACKAGE:
        return came
    copies = Path.cwd() / "notebooks"
    try:
        (copies / "explore").mkdir(parents=True, exist_ok=True)
        for path in sorted((came / "explore").glob("*.ipynb")):
            copy = copies / "explore" / path.name
            if not copy.exists():
                shutil.copyfile(path, copy)
                say(f"Copied {path.name} to {copy.parent}")
    except OSError as error:
        raise SettingsError(
            f"The notebooks cannot be copied to {copies}: {error.strerror}. Run it in a folder of your own,"
            " or name one: `workbench lab FOLDER`."
        ) from None
    return copies
