"""imports of files, and what they brought"""

from alembic import op

from workbench.migrations import run_folder

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0010_imports")
