"""A notebook's kernel that is spoken to as JupyterLab does it: each request names the cell that it runs."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient

from tests.ui.conftest import environment
from workbench.config import Settings
from workbench.reports.run import ReportKernel

ROOT = Path(__file__).parents[2]
SECONDS = 200


class Cells:
    """The cells of one notebook in one kernel."""

    def __init__(self, client: AsyncKernelClient) -> None:
        self.client = client

    async def run(self, source: str, cell_id: str) -> list[dict[str, Any]]:
        """What a cell puts out: the contents of its messages. Fails with the traceback when it raises."""
        content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell_id})
        self.client.shell_channel.send(message)
        outputs: list[dict[str, Any]] = []
        while True:
            told = await self.client.get_iopub_msg(timeout=SECONDS)
            if told["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if told["msg_type"] == "error":
                raise AssertionError("\n".join([cell_id, source, *told["content"]["traceback"]]))
            if told["msg_type"] == "status" and told["content"]["execution_state"] == "idle":
                return outputs
            outputs.append(told["content"])

    async def text(self, source: str) -> str:
        """What a cell shows at its end, as plain text."""
        return str((await self.run(source, "asked"))[-1]["data"]["text/plain"])


@asynccontextmanager
async def cells(settings: Settings) -> AsyncIterator[Cells]:
    """A kernel on these servers; it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="workbench-cells-", ignore_cleanup_errors=True) as name:
        env = environment(settings) | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])}
        manager = ReportKernel(Path(name))
        await manager.start_kernel(env=env, cwd=name)
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=SECONDS)
            yield Cells(client)
        finally:
            client.stop_channels()
            await manager.shutdown_kernel(now=True)
