"""The start scripts of compose/postgres run as containers would run them, on real PostgreSQL programs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from tests.conftest import free_ports, wait_until
from workbench.database.sql_files import sql_folder
from workbench.servers.cluster.layout import OsUser

SCRIPTS = Path(__file__).parents[2] / "compose" / "postgres"
PASSWORDS = {
    "MASTER_DB_SUPERUSER_PASSWORD": "super'user \\ $HOME",
    "MASTER_DB_OWNER_PASSWORD": "owner's",
    "MASTER_DB_PASSWORD": "writer's",
    "REPLICA_DB_PASSWORD": "reader's",
    "RISINGWAVE_CDC_PASSWORD": "cdc's",
    "MASTER_DB_REPLICATION_PASSWORD": r"re:plica\'s",
}


@dataclass
class Node:
    """One script with a volume of its own: started, stopped and killed as a container is."""

    name: str
    folder: Path
    programs: Path
    user: OsUser | None
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def data(self) -> Path:
        """The volume."""
        return self.folder / self.name

    @property
    def pgdata(self) -> Path:
        """The server's own folder in the volume."""
        return self.data / self.name

    @property
    def sockets(self) -> Path:
        """Where the server has its socket, and the socket's lock file."""
        return self.folder / f"{self.name}-sockets"

    @property
    def log(self) -> str:
        """What the script and the server have said so far."""
        path = self.folder / f"{self.name}.log"
        return path.read_text() if path.exists() else ""

    def start(self, **changed: str) -> None:
        """Starts the script; ``changed`` are variables of its environment."""
        environment = {
            "PATH": f"{self.programs}:{os.defpath}",
            "LC_ALL": "C",
            "DATA": str(self.data),
            "SOCKETS": str(self.sockets),
            "SQL": str(self.folder / "sql"),
            "PORT": str(self.port),
            "CHECK_SECONDS": "0.3",
        }
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["bash", str(self.folder / "scripts" / f"{self.name}.sh")],
                env=environment | self.environment | changed,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                user=self.user.uid if self.user else None,
                group=self.user.gid if self.user else None,
                extra_groups=[] if self.user else None,
                start_new_session=True,
            )

    def stop(self) -> int:
        """As `docker stop`: the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT if self.name == "master" else signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        """As `docker kill`: every process of the container is gone at once."""
        if self.process is None or self.process.poll() is not None:
            return
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, 30)
        self.process.wait(30)

    def bystander(self) -> subprocess.Popen[bytes]:
        """A live process of the server's own user that has nothing to do with it."""
        return subprocess.Popen(["sleep", "60"], user=self.user.uid if self.user else None)

    def has_ended(self) -> bool:
        """True when the script has ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def ask(self, statement: str, role: str = "workbench_reader", password: str = "reader's") -> Any:
        """The first value of the answer, over TCP; None for a statement without rows."""
        host, database = "127.0.0.1", "sales"
        if role == "postgres":  # comes by the socket only
            host, database, password = str(self.sockets), "postgres", "super'user \\ $HOME"
        with closing(
            psycopg2.connect(
                host=host, port=self.port, dbname=database, user=role, password=password, connect_timeout=5
            )
        ) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def own(self, statement: str) -> Any:
        """The first value of the answer, asked as the owner of the tables."""
        return self.ask(statement, "workbench_owner", "owner's")

    def answers(self, statement: str = "select true") -> bool:
        """True when the reader gets true."""
        try:
            return self.ask(statement) is True
        except psycopg2.Error:
            return False

    def ready(self) -> None:
        """Returns when the node answers; fails at once when its script has ended."""
        wait_until(lambda: self.has_ended() or self.answers(), f"the {self.name}:\n{self.log[-3000:]}", 60)
        assert not self.has_ended(), self.log[-3000:]


def make_nodes(folder: Path, programs: Path, user: OsUser | None) -> tuple[Node, Node]:
    """A master and its replica in ``folder``, with copies of the scripts, not started."""
    shutil.copytree(SCRIPTS, folder / "scripts")
    shutil.copytree(sql_folder() / "cluster", folder / "sql")
    master_port, replica_port = free_ports(2)
    found = {"MASTER_HOST": "127.0.0.1", "MASTER_PORT": str(master_port)}
    master = Node("master", folder, programs, user, master_port, dict(PASSWORDS))
    replica = Node("replica", folder, programs, user, replica_port, PASSWORDS | found)
    for path in (master.data, replica.data, *(folder / f"{name}-sockets" for name in ("master", "replica"))):
        path.mkdir(mode=0o700)
    for path in (folder, *folder.rglob("*")):
        if user:
            os.chown(path, user.uid, user.gid)
    return master, replica
