-- rollup_sales_by_cashier: one row per day, store, cashier, payment method and customer type with a sale.
select
    t.transaction_time::date as day,
    t.store_id,
    t.cashier_id,
    t.payment_method,
    case when t.customer_id is null then 'no card' else 'card' end as customer_type,
    count(*) as sales,
    sum(t.total_amount) as revenue,
    sum(t.total_discount) as discount
from sales_transaction as t
group by
    t.transaction_time::date,
    t.store_id,
    t.cashier_id,
    t.payment_method,
    case when t.customer_id is null then 'no card' else 'card' end
