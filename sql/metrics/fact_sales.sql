-- fact_sales: one row per sale, with the dimensions of its header.
select
    t.transaction_id,
    t.transaction_time,
    t.transaction_time::date as day,
    extract(hour from t.transaction_time)::int as hour,
    t.store_id,
    t.cashier_id,
    t.payment_method,
    case when t.customer_id is null then 'no card' else 'card' end as customer_type,
    t.customer_id,
    t.total_amount as revenue,
    t.total_discount as discount
from sales_transaction as t
