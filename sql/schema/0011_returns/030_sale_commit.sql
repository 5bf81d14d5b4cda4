-- sale_commit: as in 0008. And a sale has positive quantities, a return negative ones, no more of them than there is to give
-- back: looked at for a return that is written, and for a sale that is changed after items of it were returned.
create or replace function sale_commit() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    sale_id bigint := case when tg_op = 'DELETE' then old.transaction_id else new.transaction_id end;
    sale record;
begin
    select
        to_jsonb(t) || jsonb_build_object('lines', l.lines) as document,
        l.lines is null as is_empty,
        l.is_mixed,
        t.return_of,
        (t.total_amount, t.total_discount) is distinct from (l.total_amount, l.total_discount) as is_wrong
    into sale
    from sales_transaction as t
    cross join lateral (
        select
            jsonb_agg(to_jsonb(i) - 'transaction_id' order by i.item_id) as lines,
            sum(i.total_price) as total_amount,
            sum(i.discount) as total_discount,
            bool_or((i.quantity < 0) <> (t.return_of is not null)) as is_mixed
        from sales_item as i
        where i.transaction_id = sale_id
    ) as l
    where t.transaction_id = sale_id;

    if sale.is_empty then
        raise exception 'transaction % has no lines', sale_id
            using errcode = 'check_violation', constraint = 'sale_totals_check', table = 'sales_transaction';
    elsif sale.is_wrong then
        raise exception 'the totals of transaction % are not the sum of its lines', sale_id
            using errcode = 'check_violation', constraint = 'sale_totals_check', table = 'sales_transaction';
    elsif sale.is_mixed then
        raise exception 'transaction % is a %: its quantities are %', sale_id,
            case when sale.return_of is null then 'sale' else 'return' end,
            case when sale.return_of is null then 'positive' else 'negative' end
            using errcode = 'check_violation', constraint = 'sale_kind_check', table = 'sales_transaction';
    end if;
    if sale.return_of is not null then
        perform sale_returns_check(sale.return_of);
    end if;
    if tg_op = 'UPDATE' and exists (select from sales_transaction as r where r.return_of = sale_id) then
        perform sale_returns_check(sale_id);
    end if;

    insert into audit_log (actor, operation, table_name, transaction_id, after, reason, undoes)
    select audit_actor(), 'insert', 'sales_transaction', sale_id, sale.document, audit_reason(), audit_undoes()
    where sale.document is not null
        and not exists (
            select from audit_log as a where a.xact_id = pg_current_xact_id() and a.transaction_id = sale_id
        );
    if found then
        return null;
    end if;

    update audit_log as a
    set after = sale.document,
        operation = case when sale.document is null then 'delete' when a.before is null then 'insert' else 'update' end,
        actor = audit_actor(),
        reason = audit_reason(),
        undoes = audit_undoes()
    where a.xact_id = pg_current_xact_id() and a.transaction_id = sale_id
        and (a.after, a.actor, a.reason, a.undoes)
            is distinct from (sale.document, audit_actor(), audit_reason(), audit_undoes());
    delete from audit_log as a  -- of a sale that came and went unseen
    where a.xact_id = pg_current_xact_id() and a.transaction_id = sale_id and a.before is null and a.after is null;
    return null;
end
$$;
