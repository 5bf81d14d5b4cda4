-- undoable: one row per sale of the import :import_id that is there, locked, returns first: its id, what it takes back from, and whether somebody has
-- changed it, or has returned items of it otherwise than by the same import.
select
    t.transaction_id,
    t.return_of,
    exists (select from audit_log as a where a.transaction_id = t.transaction_id)
        or exists (
            select from sales_transaction as r
            where r.return_of = t.transaction_id
                and (
                    not exists (
                        select from imported_sale as m
                        where m.transaction_id = r.transaction_id and m.import_id = :import_id
                    )
                    or exists (select from audit_log as a where a.transaction_id = r.transaction_id)
                )
        ) as is_changed
from imported_sale as s
join sales_transaction as t using (transaction_id)
where s.import_id = :import_id
order by t.return_of is null, t.transaction_id
for update of t
