"""one audit entry a sale and transaction, totals checked once, the log kept as it is"""

from alembic import op

from workbench.migrations import run_folder

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_folder(op.get_bind().execution_options(no_parameters=True).exec_driver_sql, "0008_audit_by_sale")
