"""sales, lines, totals, audit log, heartbeat, publication, grants"""

from alembic import op

from workbench.migrations import run_folder

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0001_initial")
