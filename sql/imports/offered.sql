-- offered: one row per sale of the file that is taken, product of $codes and price: how many were sold. Without what had a
-- discount, of which nothing says how much is given back.
select
    h.sale, h.store_id, h.customer_id, l.product_code, l.unit_price, h.transaction_time, sum(l.quantity)::bigint as left_over,
    min_by(l.product_name, l.row) as product_name, min_by(l.category, l.row) as category
from line as l
join header as h using (sale)
where list_contains($codes, l.product_code)
group by h.sale, h.store_id, h.customer_id, l.product_code, l.unit_price, h.transaction_time
having sum(l.discount) = 0
