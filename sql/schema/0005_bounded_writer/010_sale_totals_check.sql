-- sale_totals_check: at commit a header without lines is refused, and one whose totals were typed and are not those of
-- its lines. Replaces the function of 0001; its trigger stays.
create or replace function sale_totals_check() returns trigger
language plpgsql
set search_path = public, pg_temp
as $$
declare
    sale record;
begin
    select
        count(i.item_id) as lines,
        (t.total_amount, t.total_discount)
            is distinct from (coalesce(sum(i.total_price), 0), coalesce(sum(i.discount), 0)) as is_wrong
    into sale
    from sales_transaction as t
    left join sales_item as i using (transaction_id)
    where t.transaction_id = new.transaction_id
    group by t.transaction_id;

    if sale.lines = 0 then
        raise exception 'transaction % has no lines', new.transaction_id
            using errcode = 'check_violation', constraint = 'sale_totals_check', table = 'sales_transaction';
    elsif sale.is_wrong then
        raise exception 'the totals of transaction % are not the sum of its lines', new.transaction_id
            using errcode = 'check_violation', constraint = 'sale_totals_check', table = 'sales_transaction';
    end if;
    return null;
end
$$;
