-- line: one row per row of the file in a sale that is taken, as it is saved: of plain rows their texts' values, of the others
-- what the form has made of them.
create or replace table line as
select *, quantity * unit_price - discount as total_price
from (
    select
        s.sale, t.row, t.product_code, t.product_name, t.category, t.quantity_value::integer as quantity,
        t.unit_price_value as unit_price, t.discount_value::decimal(10, 2) as discount
    from sale as s
    join (select sale, unnest(rows) as row from sale where is_plain) as r using (sale)
    join typed as t using (row)
    where s.sale not in (select sale from left_out)
    union all
    select sale, row, product_code, product_name, category, quantity, unit_price, discount
    from judged_line
    where sale not in (select sale from left_out)
);
create or replace table header as
select h.*, null::bigint as returns_sale, null::bigint as return_of, l.total_amount, l.total_discount, l.lines
from (
    select
        s.sale, s.moment as transaction_time, try_cast(t.cashier_id as decimal(18, 3))::integer as cashier_id,
        try_cast(t.store_id as decimal(18, 3))::integer as store_id, t.payment_method,
        try_cast(t.customer_id as decimal(18, 3))::integer as customer_id, s.invoice, s.fingerprint
    from sale as s
    join typed as t on t.row = s.rows[1]
    where s.is_plain and s.sale not in (select sale from left_out)
    union all
    select j.sale, j.transaction_time, j.cashier_id, j.store_id, j.payment_method, j.customer_id, s.invoice, s.fingerprint
    from judged_sale as j
    join sale as s using (sale)
    where j.sale not in (select sale from left_out)
) as h
join (
    select sale, sum(total_price) as total_amount, sum(discount) as total_discount, count(*) as lines from line group by sale
) as l using (sale);
