-- rollup_lines_by_cashier: one row per day, store, cashier, payment method and category with a line.
-- Sales are those with at least one such line, so they add up over anything but categories.
select
    t.transaction_time::date as day,
    t.store_id,
    t.cashier_id,
    t.payment_method,
    i.category,
    count(distinct i.transaction_id) as sales,
    sum(i.quantity) as items,
    sum(i.total_price) as revenue,
    sum(i.discount) as discount,
    count(*) as lines,
    count(*) filter (where i.discount > 0) as discounted_lines,
    coalesce(sum(i.total_price) filter (where i.discount > 0), 0) as discounted_revenue
from sales_item as i
join sales_transaction as t on t.transaction_id = i.transaction_id
group by t.transaction_time::date, t.store_id, t.cashier_id, t.payment_method, i.category
