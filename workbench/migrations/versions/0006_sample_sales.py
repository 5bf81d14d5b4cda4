"""which sales are made up, and by which load"""

from alembic import op

from workbench.migrations import run_folder

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0006_sample_sales")
