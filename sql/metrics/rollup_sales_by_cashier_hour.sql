-- rollup_sales_by_cashier_hour: one row per day, hour, store and cashier with a sale.
select
    t.transaction_time::date as day,
    extract(hour from t.transaction_time)::int as hour,
    t.store_id,
    t.cashier_id,
    count(*) as sales,
    sum(t.total_amount) as revenue,
    sum(t.total_discount) as discount
from sales_transaction as t
group by t.transaction_time::date, extract(hour from t.transaction_time)::int, t.store_id, t.cashier_id
