-- Who may do what. The roles themselves belong to the server: sql/cluster/roles.sql.
revoke all on all tables in schema public from public, workbench_writer, workbench_reader, workbench_cdc;
revoke all on all functions in schema public from public;

grant select, insert, update, delete on sales_transaction, sales_item to workbench_writer;
grant usage on sequence sales_transaction_transaction_id_seq to workbench_writer;
grant select, insert on sales_request to workbench_writer;
grant select, update on heartbeat to workbench_writer;

grant select on sales_transaction, sales_item, sales_request, heartbeat, audit_log to workbench_reader;

grant select on sales_transaction, sales_item, heartbeat to workbench_cdc;

-- The program asks which migrations have run.
grant select on alembic_version to workbench_reader, workbench_writer;
