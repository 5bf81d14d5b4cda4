-- first_sales: one row per customer, with the dimensions of the customer's first sale ever.
-- A return is no sale: of the same customer it comes after one, but it may name another.
select
    r.customer_id,
    r.transaction_id,
    r.transaction_time,
    r.transaction_time::date as day,
    extract(hour from r.transaction_time)::int as hour,
    t.store_id,
    t.cashier_id,
    t.payment_method,
    'card' as customer_type
from (
    select w.customer_id, w.transaction_id, w.transaction_time
    from (
        select
            s.customer_id,
            s.transaction_id,
            s.transaction_time,
            row_number() over (partition by s.customer_id order by s.transaction_time, s.transaction_id) as nth
        from sales_transaction as s
        where s.customer_id is not null and s.total_amount + s.total_discount >= 0
    ) as w
    where w.nth = 1
) as r
join sales_transaction as t on t.transaction_id = r.transaction_id
