-- Who may enter the database sales and its schema, and who owns it: the owner makes everything in it.
-- Run by the superuser of PostgreSQL 17 or 18 inside the database; can be repeated. Grants on tables come with the tables.
begin;

do $$
begin
    if current_setting('server_version_num')::int < 170000 then
        raise exception 'PostgreSQL % is too old for the workbench', current_setting('server_version')
            using hint = 'It runs on PostgreSQL 17 and 18. Nothing was changed.';
    end if;
end
$$;

alter database sales owner to workbench_owner;
revoke all on database sales from public;
revoke connect on database postgres, template1 from public;
grant connect on database sales to workbench_owner, workbench_writer, workbench_reader, workbench_cdc;
-- To fetch the slots that are to survive a promotion (sync_replication_slots); it may read nothing in there.
grant connect on database sales to workbench_replica;

alter schema public owner to workbench_owner;
revoke all on schema public from public;
grant usage on schema public to workbench_writer, workbench_reader, workbench_cdc;

-- With these a role that may only read could write WAL or large objects, end or stop the sessions of others, wake who
-- listens, or hold the lock on which migrations wait.
do $$
declare
    dangerous regprocedure;
begin
    for dangerous in
        select oid::regprocedure
        from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
            and proname ~ '^(lo_.*|loread|lowrite|pg_(logical_emit_message|notify|(terminate|cancel)_backend)|pg_(try_)?advisory_.*)$'
    loop
        execute format('revoke execute on function %s from public', dangerous);
    end loop;
    -- Of each what somebody needs: migrations and loads take turns, and who drops a slot ends its reader first.
    grant execute on function pg_advisory_lock(bigint), pg_advisory_lock_shared(bigint) to workbench_owner;
    grant execute on function pg_terminate_backend(integer, bigint) to workbench_cdc;
end
$$;

-- RisingWave's reader writes a word every few seconds, so that its slot moves on while nothing is sold.
grant execute on function pg_logical_emit_message(boolean, text, text, boolean) to workbench_cdc;

commit;
