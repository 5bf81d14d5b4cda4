-- strangers: one row per store of :stores and cashier of :cashiers that never sold anything, while others did.
select s.kind, s.number
from (
    select 'Store' as kind, unnest(cast(:stores as integer[])) as number
    union all
    select 'Cashier', unnest(cast(:cashiers as integer[]))
) as s
where exists (select from sales_transaction)
    and not exists (
        select from sales_transaction as t where s.number = case s.kind when 'Store' then t.store_id else t.cashier_id end
    )
order by s.kind desc, s.number
