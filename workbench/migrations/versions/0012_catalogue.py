"""the catalogue: names of stores, cashiers, products and customers, and list prices"""

from alembic import op

from workbench.migrations import run_folder

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0012_catalogue")
