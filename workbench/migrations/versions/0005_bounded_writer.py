"""sales have lines, and the writer sets neither created_at nor a false heartbeat"""

from alembic import op

from workbench.migrations import run_folder

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0005_bounded_writer")
