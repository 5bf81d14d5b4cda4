-- A writer says of a new sale what it takes back from, and cannot change that.
grant insert (return_of) on sales_transaction to workbench_writer;

revoke all on function sale_returns_check(bigint) from public;
