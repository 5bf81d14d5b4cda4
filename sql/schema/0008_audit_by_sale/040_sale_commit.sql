-- sale_commit: at commit each sale that was written is read once: without lines, or with totals that are not those of its
-- lines, it is refused; else it goes into the log, as what the transaction's entry of it has made of it. Runs as the
-- owner, so that a writer adds to the log only what really changed. Who and why are what is said last in the transaction.
-- It is called once for each time that the header was written; what is logged as it is, is left.
create function sale_commit() returns trigger
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
        (t.total_amount, t.total_discount) is distinct from (l.total_amount, l.total_discount) as is_wrong
    into sale
    from sales_transaction as t
    cross join lateral (
        select
            jsonb_agg(to_jsonb(i) - 'transaction_id' order by i.item_id) as lines,
            sum(i.total_price) as total_amount,
            sum(i.discount) as total_discount
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

drop trigger sale_totals_check on sales_transaction;
drop function sale_totals_check();

create constraint trigger sale_commit
    after insert or update or delete on sales_transaction
    deferrable initially deferred
    for each row execute function sale_commit();
