"""The process that a report runs in: as the reader, with nothing else that the workbench knows."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from pydantic import SecretStr

from workbench.config import OF_SERVER, Settings

# What Python itself needs to start; whatever else the environment holds is not for a report.
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
# The settings that a report is given. A new one is not, above all no new password, unless it is named here.
GIVEN = (
    *(
        f"{server}_{name}"
        for server in ("master_db", "replica_db", "risingwave")
        for name in (*OF_SERVER, "user", "password")
    ),
    "risingwave_reader_user",
    "risingwave_reader_password",
    "master_db_owner_user",
    "master_db_owner_password",
    "workbench_data_dir",
    "workbench_currency",
    "workbench_timezone",
    "log_level",
)
KERNEL = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]


class ReportKernel(AsyncKernelManager):
    """This program's own Python, whichever kernels are installed, behind sockets that only this user can open."""

    def __init__(self, folder: Path) -> None:
        super().__init__(transport="ipc", ip=str(folder / "kernel"), connection_file=str(folder / "kernel.json"))

    @property
    def kernel_spec(self) -> KernelSpec:
        """How to start it."""
        return KernelSpec(argv=KERNEL, display_name="Report", language="python", interrupt_mode="signal")


def as_reader(settings: Settings, folder: Path) -> Settings:
    """``settings`` without the roles that write: their places are taken by the reader.

    No password is left out that another place could then stand in for (a .pgpass, a server that trusts), and the data
    directory, which holds all passwords, is not named.
    """
    password = SecretStr(settings.master_reader.current_password())
    reader = {"user": settings.replica_db_user, "password": password}
    changed = {f"{server}_{name}": value for server in ("master_db", "replica_db") for name, value in reader.items()}
    changed |= {f"master_db_owner_{name}": value for name, value in reader.items()}
    changed |= {f"risingwave_{name}": getattr(settings, f"risingwave_reader_{name}") for name in reader}
    return settings.model_copy(update={**changed, "workbench_data_dir": folder, "workbench_passwords_file": ""})


def environment(settings: Settings, folder: Path) -> dict[str, str]:
    """The environment of the process, whose home and temporary folder is ``folder``."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    own = {name: str(folder) for name in ("HOME", "TMPDIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    given = as_reader(settings, folder)
    values = {name.upper(): _plain(getattr(given, name)) for name in GIVEN}
    return kept | own | {"PYTHONUSERBASE": site.getuserbase()} | {name: text for name, text in values.items() if text}


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
