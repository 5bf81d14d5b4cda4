-- rollup_sales_by_hour: one row per day, hour, store and payment method with a sale.
select
    t.transaction_time::date as day,
    extract(hour from t.transaction_time)::int as hour,
    t.store_id,
    t.payment_method,
    count(*) as sales,
    sum(t.total_amount) as revenue,
    sum(t.total_discount) as discount
from sales_transaction as t
group by t.transaction_time::date, extract(hour from t.transaction_time)::int, t.store_id, t.payment_method
