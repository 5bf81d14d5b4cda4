"""accounts with roles, and logins"""

from alembic import op

from workbench.migrations import run_folder

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0009_accounts")
