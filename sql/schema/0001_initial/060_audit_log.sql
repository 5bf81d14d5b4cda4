-- audit_log: one row per changed header or line, and one per bulk load. Written by triggers only; nobody may change it.
create table audit_log (
    audit_id bigint generated always as identity primary key,
    logged_at timestamptz not null default clock_timestamp(),
    actor text not null,              -- who, as the application says (workbench.actor), else the database role
    database_role text not null default session_user,
    operation text not null,          -- insert, update, delete, bulk load
    table_name text not null,
    transaction_id bigint,            -- null for a bulk load
    item_id bigint,
    before jsonb,
    after jsonb,
    xact_id xid8 not null default pg_current_xact_id()
);

create index audit_log_transaction_idx on audit_log (transaction_id, audit_id);

-- Who follows the log asks by transaction, not by audit_id: ids become visible in the order of commits, not in theirs.
create index audit_log_xact_idx on audit_log (xact_id);

create function audit_actor() returns text
language sql stable
as $$ select coalesce(nullif(current_setting('workbench.actor', true), ''), session_user) $$;

-- Runs as the owner, so that a writer adds to the log only what really changed.
create function audit_change() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        insert into audit_log (actor, operation, table_name, transaction_id, item_id, after)
        select audit_actor(), 'insert', tg_table_name, (r.row ->> 'transaction_id')::bigint,
            (r.row ->> 'item_id')::bigint, r.row
        from (select to_jsonb(n) as row from new_rows as n) as r;
    elsif tg_op = 'DELETE' then
        insert into audit_log (actor, operation, table_name, transaction_id, item_id, before)
        select audit_actor(), 'delete', tg_table_name, (r.row ->> 'transaction_id')::bigint,
            (r.row ->> 'item_id')::bigint, r.row
        from (select to_jsonb(o) as row from old_rows as o) as r;
    else
        raise exception 'audit_change takes inserts and deletes';
    end if;
    return null;
end
$$;

-- An update needs old and new of one row side by side, which statement-level transition tables do not pair.
create function audit_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
as $$
begin
    insert into audit_log (actor, operation, table_name, transaction_id, item_id, before, after)
    values (
        audit_actor(), 'update', tg_table_name, (to_jsonb(new) ->> 'transaction_id')::bigint,
        (to_jsonb(new) ->> 'item_id')::bigint, to_jsonb(old), to_jsonb(new)
    );
    return null;
end
$$;

create trigger audit_insert after insert on sales_transaction referencing new table as new_rows
    for each statement execute function audit_change();
create trigger audit_delete after delete on sales_transaction referencing old table as old_rows
    for each statement execute function audit_change();
create trigger audit_update after update on sales_transaction
    for each row execute function audit_update();

create trigger audit_insert after insert on sales_item referencing new table as new_rows
    for each statement execute function audit_change();
create trigger audit_delete after delete on sales_item referencing old table as old_rows
    for each statement execute function audit_change();
create trigger audit_update after update on sales_item
    for each row execute function audit_update();
