-- rollup_customers_by_day: one row per day, store and customer with a sale; its size follows visits (decision 007).
select
    t.transaction_time::date as day,
    t.store_id,
    t.customer_id,
    count(*) as card_sales,
    sum(t.total_amount) as card_revenue
from sales_transaction as t
where t.customer_id is not null
group by t.transaction_time::date, t.store_id, t.customer_id
