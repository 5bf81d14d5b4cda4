-- restore_sale: one row when the deletion that an entry of the log tells of is taken back: the sale is there again as it
-- was, with its id and those of its lines, one version on. No row when there is no such entry, it was taken back already,
-- or the sale is there. What is written comes from the log alone, so that a writer can give nothing else. Columns that came
-- after the entry get their defaults.
create function restore_sale(entry_id bigint, request uuid, content text)
returns table (transaction_id bigint, version integer, transaction_time timestamp)
language plpgsql security definer
set search_path = public, pg_temp
as $$
#variable_conflict use_column
declare
    sale jsonb;
begin
    perform from audit_log as a where a.audit_id = entry_id for update;  -- others who restore it wait here

    select a.before || jsonb_build_object('version', (a.before ->> 'version')::integer + 1, 'updated_at', now(), 'lines',
        coalesce(a.before -> 'lines', (  -- before 0008 each line had an entry of its own
            select jsonb_agg(l.before order by l.item_id)
            from audit_log as l
            where l.xact_id = a.xact_id and l.transaction_id = a.transaction_id and l.table_name = 'sales_item'
                and l.operation = 'delete'
        )))
    into sale
    from audit_log as a
    where a.audit_id = entry_id and a.operation = 'delete' and a.table_name = 'sales_transaction'
        and not exists (select from audit_log as u where u.undoes = entry_id)
        and not exists (select from sales_transaction as t where t.transaction_id = a.transaction_id);
    if sale is null then
        return;
    end if;

    insert into sales_request (request_id, operation, transaction_id, fingerprint, version)
    values (request, 'restore', (sale ->> 'transaction_id')::bigint, content, (sale ->> 'version')::integer);
    perform set_config('workbench.undoes', entry_id::text, true);
    perform insert_rows('sales_transaction', jsonb_build_array(sale - 'lines'));
    perform insert_rows('sales_item', (
        select jsonb_agg(l.line || jsonb_build_object('transaction_id', sale -> 'transaction_id') order by l.position)
        from jsonb_array_elements(sale -> 'lines') with ordinality as l (line, position)
    ));
    return query
        select t.transaction_id, t.version, t.transaction_time
        from sales_transaction as t
        where t.transaction_id = (sale ->> 'transaction_id')::bigint;
end
$$;

-- insert_rows: rows of a table from their documents. Columns that these do not name get their defaults.
create function insert_rows(target regclass, documents jsonb) returns void
language plpgsql
set search_path = public, pg_temp
as $$
declare
    columns text := (
        select string_agg(quote_ident(attname), ', ' order by attnum)
        from pg_attribute
        where attrelid = target and attnum > 0 and not attisdropped and attgenerated = '' and documents -> 0 ? attname
    );
begin
    execute format(
        'insert into %s (%s) select %s from jsonb_populate_recordset(null::%s, $1)', target, columns, columns, target
    ) using documents;
end
$$;
