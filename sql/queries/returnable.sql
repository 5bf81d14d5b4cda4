-- returnable: one row per product and price of a sale's lines, in the order of entry: how many were sold and given back
-- since, and how much discount there is on those that are left.
select
    s.product_code,
    s.product_name,
    s.category,
    s.unit_price,
    s.quantity as sold,
    coalesce(r.quantity, 0) as returned,
    s.discount - coalesce(r.discount, 0) as discount_left
from (
    select
        product_code,
        unit_price,
        (array_agg(product_name order by item_id))[1] as product_name,
        (array_agg(category order by item_id))[1] as category,
        sum(quantity) as quantity,
        sum(discount) as discount,
        min(item_id) as first_item
    from sales_item
    where transaction_id = :transaction_id
    group by product_code, unit_price
) as s
left join (
    select i.product_code, i.unit_price, -sum(i.quantity) as quantity, -sum(i.discount) as discount
    from sales_transaction as t
    join sales_item as i using (transaction_id)
    where t.return_of = :transaction_id
    group by i.product_code, i.unit_price
) as r using (product_code, unit_price)
order by s.first_item
