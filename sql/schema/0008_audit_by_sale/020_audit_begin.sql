-- audit_begin: before a transaction's first change of a sale that others know, the sale as it is goes into the log, as an
-- entry without an after. sale_commit gives it one; of a sale that is gone by then it stays as it is, a deletion.
-- The sale is locked first: what is read then, nobody else changes before this transaction ends. Lines of its own were
-- added by the same statement.
create function audit_begin(sale_id bigint) returns void
language plpgsql
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
    perform from sales_transaction where transaction_id = sale_id for no key update;
    insert into audit_log (actor, operation, table_name, transaction_id, before)
    select audit_actor(), 'delete', 'sales_transaction', sale_id, to_jsonb(t) || jsonb_build_object('lines', l.lines)
    from sales_transaction as t
    cross join lateral (
        select coalesce(jsonb_agg(to_jsonb(i) - 'transaction_id' order by i.item_id), '[]') as lines
        from sales_item as i
        where i.transaction_id = sale_id and not audit_is_own(i.xmin)
    ) as l
    where t.transaction_id = sale_id
        and not audit_is_own(t.xmin)
        and not exists (
            select from audit_log as a where a.xact_id = pg_current_xact_id() and a.transaction_id = sale_id
        );
end
$$;

-- What is said of a change besides who makes it: why, and which entry it takes back. Nothing said is null.
create function audit_reason() returns text
language sql stable
as $$ select nullif(current_setting('workbench.reason', true), '') $$;

create function audit_undoes() returns bigint
language sql stable
as $$ select nullif(current_setting('workbench.undoes', true), '')::bigint $$;

-- audit_is_own: whether a row that is seen was written by this very transaction, or by a savepoint of it: their ids come
-- after its own. What looks like an id to come is a very old one.
create function audit_is_own(row_xmin xid) returns boolean
language plpgsql
as $$
declare
    own bigint := pg_current_xact_id()::text::bigint;
    ahead bigint := mod(row_xmin::text::bigint - mod(own, 4294967296) + 4294967296, 4294967296);
begin
    if ahead = 0 then
        return true;
    elsif ahead >= 2147483648 then
        return false;
    end if;
    begin
        return coalesce(pg_xact_status((own + ahead)::text::xid8) = 'in progress', false);
    exception when invalid_parameter_value then
        return false;
    end;
end
$$;

create function audit_before() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
as $$
begin
    perform audit_begin(old.transaction_id);
    if tg_op = 'DELETE' then
        return old;
    end if;
    if new.transaction_id <> old.transaction_id then
        perform audit_begin(new.transaction_id);
    end if;
    return new;
end
$$;

drop trigger audit_insert on sales_transaction;
drop trigger audit_delete on sales_transaction;
drop trigger audit_update on sales_transaction;
drop trigger audit_insert on sales_item;
drop trigger audit_delete on sales_item;
drop trigger audit_update on sales_item;
drop function audit_change();
drop function audit_update();

create trigger audit_before
    before update or delete on sales_transaction
    for each row execute function audit_before();
create trigger audit_before
    before update or delete on sales_item
    for each row execute function audit_before();
