-- sold: one row per stored sale, product and price that one of the keys (:stores, :customers, :codes, :prices) names, and of
-- which some are left: how many. Without what had a discount. All keys have a customer (:of_somebody), or none has.
select
    t.transaction_id, t.transaction_time, t.store_id, t.customer_id, i.product_code, i.unit_price,
    sum(i.quantity) + min(b.quantity) as left_over,
    (array_agg(i.product_name order by i.item_id))[1] as product_name,
    (array_agg(i.category order by i.item_id))[1] as category
from unnest(
    cast(:stores as integer[]), cast(:customers as integer[]), cast(:codes as text[]), cast(:prices as numeric[])
) as k (store_id, customer_id, product_code, unit_price)
join sales_item as i on i.product_code = k.product_code and i.unit_price = k.unit_price
join sales_transaction as t
    on t.transaction_id = i.transaction_id and t.store_id = k.store_id
    and (:of_somebody and t.customer_id = k.customer_id or not :of_somebody and t.customer_id is null)
cross join lateral (
    select coalesce(sum(g.quantity), 0) as quantity
    from sales_transaction as r
    join sales_item as g on g.transaction_id = r.transaction_id
    where r.return_of = t.transaction_id and g.product_code = i.product_code and g.unit_price = i.unit_price
) as b
where t.return_of is null
group by t.transaction_id, i.product_code, i.unit_price
having sum(i.discount) = 0 and sum(i.quantity) + min(b.quantity) > 0
