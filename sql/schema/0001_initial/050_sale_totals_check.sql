-- sale_totals_check: at commit a header whose totals were typed and are not those of its lines is refused.
create function sale_totals_check() returns trigger
language plpgsql
set search_path = public, pg_temp
as $$
declare
    is_wrong boolean;
begin
    select (t.total_amount, t.total_discount) is distinct from (s.total_amount, s.total_discount)
    into is_wrong
    from sales_transaction as t
    cross join lateral (
        select coalesce(sum(i.total_price), 0) as total_amount, coalesce(sum(i.discount), 0) as total_discount
        from sales_item as i
        where i.transaction_id = t.transaction_id
    ) as s
    where t.transaction_id = new.transaction_id;

    if is_wrong then
        raise exception 'the totals of transaction % are not the sum of its lines', new.transaction_id
            using errcode = 'check_violation', constraint = 'sale_totals_check', table = 'sales_transaction';
    end if;
    return null;
end
$$;

create constraint trigger sale_totals_check
    after insert or update of total_amount, total_discount on sales_transaction
    deferrable initially deferred
    for each row execute function sale_totals_check();
