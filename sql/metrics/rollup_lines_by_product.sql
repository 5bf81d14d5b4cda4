-- rollup_lines_by_product: one row per day, store, product and category with a line; sales are those with at least one
-- such line, so they add up over anything but products and categories.
select
    s.day,
    s.store_id,
    s.product_code,
    s.category,
    count(*) as sales,
    sum(s.items) as items,
    sum(s.revenue) as revenue,
    sum(s.discount) as discount
from (
    select
        i.transaction_id,
        t.transaction_time::date as day,
        t.store_id,
        i.product_code,
        i.category,
        sum(i.quantity) as items,
        sum(i.total_price) as revenue,
        sum(i.discount) as discount
    from sales_item as i
    join sales_transaction as t on t.transaction_id = i.transaction_id
    group by i.transaction_id, t.transaction_time::date, t.store_id, i.product_code, i.category
) as s
group by s.day, s.store_id, s.product_code, s.category
