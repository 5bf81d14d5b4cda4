-- Who may enter the database sales and its schema, and who owns it: the owner makes everything in it.
-- Run by the superuser inside the database; can be repeated. Grants on tables come with the tables.

alter database sales owner to workbench_owner;
revoke all on database sales from public;
revoke connect on database postgres, template1 from public;
grant connect on database sales to workbench_owner, workbench_writer, workbench_reader, workbench_cdc;
-- To fetch the slots that are to survive a promotion (sync_replication_slots); it may read nothing in there.
grant connect on database sales to workbench_replica;

alter schema public owner to workbench_owner;
revoke all on schema public from public;
grant usage on schema public to workbench_writer, workbench_reader, workbench_cdc;

-- With these a role that may only read could write WAL.
revoke execute on function pg_logical_emit_message(boolean, text, text, boolean) from public;
revoke execute on function pg_logical_emit_message(boolean, text, bytea, boolean) from public;

-- But RisingWave's reader does, with a word every few seconds, so that its slot moves on while nothing is sold.
grant execute on function pg_logical_emit_message(boolean, text, text, boolean) to workbench_cdc;
