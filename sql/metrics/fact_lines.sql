-- fact_lines: one row per line, those of returns are negative, with the dimensions of its one header; no measure of the header, so none counts twice.
-- Each line has its header, so a left join gives the same rows, and PostgreSQL leaves it out where no header is asked.
select
    i.item_id,
    i.transaction_id,
    t.transaction_time,
    t.transaction_time::date as day,
    extract(hour from t.transaction_time)::int as hour,
    t.store_id,
    t.cashier_id,
    t.payment_method,
    case when t.customer_id is null then 'no card' else 'card' end as customer_type,
    t.customer_id,
    i.category,
    i.product_code,
    i.quantity as items,
    i.total_price as revenue,
    i.discount,
    i.quantity < 0 as is_return
from sales_item as i
left join sales_transaction as t on t.transaction_id = i.transaction_id
