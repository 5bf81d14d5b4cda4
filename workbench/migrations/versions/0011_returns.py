"""returns: sales that take back from another one"""

from alembic import op

from workbench.migrations import run_folder

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0011_returns")
