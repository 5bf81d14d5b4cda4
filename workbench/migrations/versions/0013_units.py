"""what one of a product is: cup, slice, kg"""

from alembic import op

from workbench.migrations import run_folder

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0013_units")
