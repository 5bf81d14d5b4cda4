"""statistics for figures by hour"""

from alembic import op

from workbench.migrations import run_folder

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0004_planner_statistics")
