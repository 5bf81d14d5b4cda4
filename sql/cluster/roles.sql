-- The roles of the sales database and what bounds each of them: one role per kind of work, none a superuser.
-- Run by the superuser of PostgreSQL 17 or 18; can be repeated. Passwords are set elsewhere.
begin;

do $$
begin
    if current_setting('server_version_num')::int < 170000 then
        raise exception 'PostgreSQL % is too old for the workbench', current_setting('server_version')
            using hint = 'It runs on PostgreSQL 17 and 18. Nothing was changed.';
    end if;
end
$$;

do $$
declare
    role_name text;
begin
    foreach role_name in array array[
        'workbench_owner', 'workbench_writer', 'workbench_reader', 'workbench_cdc', 'workbench_replica'
    ]
    loop
        if not exists (select from pg_roles where rolname = role_name) then
            execute format('create role %I', role_name);
        end if;
    end loop;
end
$$;

-- The limits leave room for several processes of the workbench; together they fit into max_connections = 130.
alter role workbench_owner with login nosuperuser nocreatedb nocreaterole noreplication connection limit 10;
alter role workbench_writer with login nosuperuser nocreatedb nocreaterole noreplication connection limit 40;
alter role workbench_reader with login nosuperuser nocreatedb nocreaterole noreplication connection limit 60;
alter role workbench_cdc with login nosuperuser nocreatedb nocreaterole replication connection limit 8;
alter role workbench_replica with login nosuperuser nocreatedb nocreaterole replication connection limit 8;

-- Whoever may replicate reads everything: over a connection for changes a whole copy of the server can be asked for too,
-- the password hashes of all roles in it, and no line of pg_hba.conf tells the two apart. So workbench_cdc is guarded
-- like a superuser for reading: a password of its own, and in pg_hba.conf no address but RisingWave's.

-- A bulk load checks its rows itself and switches the triggers off for its session.
grant set on parameter session_replication_role to workbench_owner;

alter role workbench_owner set search_path = public, pg_temp;

alter role workbench_writer set search_path = public, pg_temp;
alter role workbench_writer set statement_timeout = '10s';
alter role workbench_writer set lock_timeout = '3s';
alter role workbench_writer set idle_in_transaction_session_timeout = '15s';

-- Read only by default is the seat belt; that it is granted nothing but select is the wall.
alter role workbench_reader set search_path = public, pg_temp;
alter role workbench_reader set default_transaction_read_only = on;
alter role workbench_reader set statement_timeout = '8s';
alter role workbench_reader set idle_in_transaction_session_timeout = '30s';
alter role workbench_reader set temp_file_limit = '1GB';
-- A reader that is gone (a killed kernel, a stopped report) takes its query along, which could run on unread otherwise.
alter role workbench_reader set client_connection_check_interval = '500ms';

alter role workbench_cdc set search_path = public, pg_temp;

commit;
