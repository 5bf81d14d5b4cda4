-- rollup_first_sales: one row per customer, with the dimensions of the customer's first sale ever.
select
    r.customer_id,
    r.transaction_id,
    r.transaction_time,
    r.transaction_time::date as day,
    extract(hour from r.transaction_time)::int as hour,
    r.store_id,
    r.cashier_id,
    r.payment_method,
    'card' as customer_type,
    1 as new_customers
from (
    select
        t.customer_id,
        t.transaction_id,
        t.transaction_time,
        t.store_id,
        t.cashier_id,
        t.payment_method,
        row_number() over (partition by t.customer_id order by t.transaction_time, t.transaction_id) as nth
    from sales_transaction as t
    where t.customer_id is not null
) as r
where r.nth = 1
