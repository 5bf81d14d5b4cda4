"""What the folders of the servers hold: which of them may be the last copy, and what that forbids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import ClusterError
from workbench.servers.cluster.layout import Layout, Node
from workbench.servers.cluster.processes import ProgramFailed, Programs

STANDBY_STATES = ("in archive recovery", "shut down in recovery")


@dataclass(frozen=True)
class Control:
    """What a control file says. ``position`` is the WAL that the folder holds for certain, in bytes from its start."""

    system: int
    is_standby: bool
    timeline: int
    position: int


def read_control(programs: Programs, node: Node) -> Control | None:
    """The node's control file; None when it is missing or damaged."""
    try:
        printed = programs.run("pg_controldata", "-D", node.pgdata, cwd=node.pgdata)
    except ProgramFailed:
        return None
    said = dict(re.findall(r"^(.+?):\s+(.+)$", printed, re.MULTILINE))
    if "WARNING" in said:  # its checksum is wrong
        return None
    return Control(
        system=int(said["Database system identifier"]),
        is_standby=said["Database cluster state"] in STANDBY_STATES,
        timeline=max(int(said["Latest checkpoint's TimeLineID"]), int(said["Min recovery ending loc's timeline"])),
        position=max(_bytes(said["Latest checkpoint location"]), _bytes(said["Minimum recovery ending location"])),
    )


def refuse_lost_master(layout: Layout) -> None:
    """Raises ClusterError when a master made anew would take the place of what may be the last copy of the sales.

    A first start, with neither a master nor a copy, is well.
    """
    master, copies = layout.master.pgdata, _copies(layout)
    is_there = master.exists() and any(master.iterdir())
    if holds_server(master) or not (is_there or copies):
        return
    state = "holds no PostgreSQL server" if is_there else "is empty" if master.exists() else "is gone"
    last = f", and {copies[0]} may hold the last copy of the sales" if copies else ""
    raise ClusterError(
        f"The master's folder {master} {state}{last}: nothing was changed. Put the right folder back."
        f"{_way_on(layout, copies)}"
    )


def refuse_other_master(layout: Layout, programs: Programs) -> None:
    """Raises ClusterError for a master of another version of PostgreSQL, or another one than the replica's."""
    if holds_server(layout.master.pgdata):
        _refuse_other_version(programs, layout.master.pgdata)
        if holds_server(layout.replica.pgdata):
            _refuse_other_system(layout, programs)


def holds_server(folder: Path) -> bool:
    """True when it is the folder of a PostgreSQL server, whole or not."""
    return (folder / "PG_VERSION").is_file()


def _refuse_other_version(programs: Programs, folder: Path) -> None:
    made_by = (folder / "PG_VERSION").read_text().strip()
    if made_by != (ours := programs.major_version()):
        raise ClusterError(
            f"{folder} was made by PostgreSQL {made_by}, and this is PostgreSQL {ours}: nothing was changed."
            " Run the version of the workbench that made it; or set WORKBENCH_DATA_DIR to a new folder, and bring the"
            f" sales over with pg_dump and psql while a PostgreSQL {made_by} serves the old one."
        )


def _refuse_other_system(layout: Layout, programs: Programs) -> None:
    """Either could be the right one, the newer or the fuller: only a person can tell."""
    master, replica = layout.master.pgdata, layout.replica.pgdata
    masters, replicas = read_control(programs, layout.master), read_control(programs, layout.replica)
    if masters and replicas and masters.system != replicas.system:
        raise ClusterError(
            f"{replica} is a copy of another master than the one in {master}, and may hold the last copy of that one's"
            " sales: nothing was changed. If this master is the right one, move the replica's folder elsewhere."
            f"{_way_on(layout, [replica])}"
        )


def _copies(layout: Layout) -> list[Path]:
    """The folders that hold a server beside the master's: the replica's first, then what was kept, newest first."""
    others = [path for path in layout.data_dir.iterdir() if path != layout.master.pgdata and holds_server(path)]
    return sorted(others, key=lambda path: (path == layout.replica.pgdata, path.name), reverse=True)


def _way_on(layout: Layout, copies: list[Path]) -> str:
    master = layout.master.pgdata
    if not copies:
        return f" To begin anew, move {master} elsewhere."
    return (
        f" To go on with the copy: `workbench down`, move {master} away if it is there, rename {copies[0]} to {master},"
        " delete standby.signal in it if it is there, `workbench up`. To begin without those sales, move the copy"
        " elsewhere."
    )


def _bytes(lsn: str) -> int:
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)
