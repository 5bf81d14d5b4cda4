"""results of workbench verify"""

from alembic import op

from workbench.migrations import run_folder

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0003_verifications")
