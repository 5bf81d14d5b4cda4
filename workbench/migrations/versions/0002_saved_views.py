"""named views of a page"""

from alembic import op

from workbench.migrations import run_folder

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0002_saved_views")
