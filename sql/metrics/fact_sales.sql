-- fact_sales: one row per sale or return, with the dimensions of its header. A return's amounts are negative; which it is,
-- is told by the price before discount, which is never zero.
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
    t.total_discount as discount,
    t.total_amount + t.total_discount < 0 as is_return
from sales_transaction as t
