-- rollup_lines_by_product_payment: one row per day, payment method, product and category with a line.
select
    t.transaction_time::date as day,
    t.payment_method,
    i.product_code,
    i.category,
    sum(i.quantity) as items,
    sum(i.total_price) as revenue,
    sum(i.discount) as discount
from sales_item as i
join sales_transaction as t on t.transaction_id = i.transaction_id
group by t.transaction_time::date, t.payment_method, i.product_code, i.category
