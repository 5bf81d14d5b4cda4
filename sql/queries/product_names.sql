-- product_names: one row per product code of :codes that was ever sold, with name, category and
-- price of its newest line.
-- Most are found among the newest lines of all; the others by the index of products. "+ 0" keeps the planner from
-- walking back through every line for a product that is no longer sold.
with wanted as (
    select unnest(cast(:codes as text[])) as product_code
),
newest as materialized (
    select i.item_id, i.product_code, i.product_name, i.category, i.unit_price
    from sales_item as i
    order by i.item_id desc
    limit 10000
),
recent as (
    select distinct on (n.product_code) n.product_code, n.product_name, n.category, n.unit_price
    from newest as n
    join wanted as w on w.product_code = n.product_code
    order by n.product_code, n.item_id desc
)
select r.product_code, r.product_name, r.category, r.unit_price
from recent as r
union all
select older.product_code, older.product_name, older.category, older.unit_price
from wanted as w
cross join lateral (
    select i.product_code, i.product_name, i.category, i.unit_price
    from sales_item as i
    where i.product_code = w.product_code
    order by i.item_id + 0 desc
    limit 1
) as older
where w.product_code not in (select r.product_code from recent as r)
