"""a load of sample sales may be several entries of the audit log"""

from alembic import op

from workbench.migrations import run_folder

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0007_loads_in_parts")
