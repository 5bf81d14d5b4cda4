-- rollup_lines_by_hour: one row per day, hour, store and category with a line.
select
    t.transaction_time::date as day,
    extract(hour from t.transaction_time)::int as hour,
    t.store_id,
    i.category,
    sum(i.quantity) as items,
    sum(i.total_price) as revenue,
    sum(i.discount) as discount
from sales_item as i
join sales_transaction as t on t.transaction_id = i.transaction_id
group by t.transaction_time::date, extract(hour from t.transaction_time)::int, t.store_id, i.category
