-- catalogue_log: one row per entry of the catalogue that was made, changed or deleted: who, when, from what to what. Customers'
-- names are left out. The log of sales is another table: whoever follows that one reads sales anew for each entry.
create sequence catalogue_version_seq;

create table catalogue_log (
    log_id bigint generated always as identity primary key,
    logged_at timestamptz not null default clock_timestamp(),
    actor text not null,                      -- as the application says (workbench.actor), else the database role
    database_role text not null default session_user,
    operation text not null,                  -- insert, update, delete
    kind text not null,                       -- the table
    entry_key text not null,                  -- the values of its primary key, with a blank between them
    before jsonb,
    after jsonb,
    undoes bigint                             -- the log_id of what it takes back
);

create index catalogue_log_entry_idx on catalogue_log (kind, entry_key, log_id);

create function catalogue_log_is_kept() returns trigger
language plpgsql
set search_path = public, pg_temp
as $$
begin
    raise exception 'the log of the catalogue is only added to'
        using errcode = 'insufficient_privilege', table = 'catalogue_log';
end
$$;

create trigger catalogue_log_is_kept
    before update or delete or truncate on catalogue_log
    for each statement execute function catalogue_log_is_kept();
alter table catalogue_log enable always trigger catalogue_log_is_kept;

-- catalogue_version: a version is never given twice, so that one that was loaded before a deletion is none of what came after.
create function catalogue_version() returns trigger
language plpgsql
set search_path = public, pg_temp
as $$
begin
    new.version := nextval('catalogue_version_seq');
    new.updated_at := now();
    return new;
end
$$;

-- catalogue_change: writes the log, whoever writes; its arguments are the columns of the key. Who writes waits for whoever
-- does so already, so that entries are seen in the order of their ids: the newest one says how new a copy is.
create function catalogue_change() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
    was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - 'customer_name' end;
    now jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - 'customer_name' end;
begin
    lock table catalogue_log in share row exclusive mode;
    insert into catalogue_log (actor, operation, kind, entry_key, before, after, undoes)
    select
        audit_actor(),
        lower(tg_op),
        tg_table_name,
        (
            select string_agg(coalesce(now, was) ->> k.name, ' ' order by k.position)
            from unnest(tg_argv) with ordinality as k (name, position)
        ),
        was,
        now,
        audit_undoes();
    return null;
end
$$;

revoke all on function catalogue_log_is_kept(), catalogue_version(), catalogue_change() from public;
grant select on catalogue_log to workbench_reader;
