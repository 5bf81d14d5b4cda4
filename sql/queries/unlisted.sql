-- unlisted: one row per store of :stores, cashier of :cashiers and product of :products that the catalogue does not have, of the
-- kinds of which it has any: field (of a sale or its lines), what it is, and its id.
select 'store_id' as field, 'Store' as what, cast(s.id as text) as id
from unnest(cast(:stores as integer[])) as s (id)
where exists (select from store) and not exists (select from store as k where k.store_id = s.id)
union all
select 'cashier_id', 'Cashier', cast(c.id as text)
from unnest(cast(:cashiers as integer[])) as c (id)
where exists (select from cashier) and not exists (select from cashier as k where k.cashier_id = c.id)
union all
select 'product_code', 'Product', p.id
from unnest(cast(:products as text[])) as p (id)
where exists (select from product) and not exists (select from product as k where k.product_code = p.id)
