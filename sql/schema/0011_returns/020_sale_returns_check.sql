-- sale_returns_check: what the returns of a sale give back, together, is no more than it sold: by product and price, in
-- pieces, money and discount. The sale is locked first: of two returns at once the second counts the first. In REPEATABLE
-- READ it would not see it, so that returns are refused there.
create function sale_returns_check(sale_id bigint) returns void
language plpgsql
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    original record;
    wrong record;
begin
    if current_setting('transaction_isolation') = 'repeatable read' then
        raise exception 'returns are written in READ COMMITTED or SERIALIZABLE'
            using errcode = 'invalid_transaction_state';
    end if;
    select return_of into original from sales_transaction where transaction_id = sale_id for no key update;
    if original.return_of is not null then
        raise exception 'transaction % is a return itself: nothing can be returned of it', sale_id
            using errcode = 'check_violation', constraint = 'sale_returns_check', table = 'sales_transaction';
    end if;

    select *
    into wrong
    from (
        select
            product_code,
            unit_price,
            coalesce(sum(quantity) filter (where quantity > 0), 0) as sold,
            coalesce(-sum(quantity) filter (where quantity < 0), 0) as returned,
            coalesce(sum(total_price) filter (where quantity > 0), 0) as paid,
            coalesce(-sum(total_price) filter (where quantity < 0), 0) as given_back,
            sum(discount) as discount
        from sales_item
        where transaction_id = any (array(
            select sale_id
            union all
            select r.transaction_id from sales_transaction as r where r.return_of = sale_id
        ))
        group by product_code, unit_price
    ) as product
    where returned > sold or given_back > paid or discount < 0
    order by product_code, unit_price
    limit 1;
    if found and wrong.returned > wrong.sold then
        raise exception 'transaction % sold % of % at %, and % would be given back',
            sale_id, wrong.sold, wrong.product_code, wrong.unit_price, wrong.returned
            using errcode = 'check_violation', constraint = 'sale_returns_check', table = 'sales_transaction';
    elsif found then
        raise exception 'of transaction % more money, or discount, of % at % would be given back than was paid, or given',
            sale_id, wrong.product_code, wrong.unit_price
            using errcode = 'check_violation', constraint = 'sale_returns_check', table = 'sales_transaction';
    end if;
end
$$;
