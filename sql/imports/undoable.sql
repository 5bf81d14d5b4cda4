-- undoable: one row per sale of the import :import_id that is there, locked: its id, and whether somebody has changed it,
-- or has returned items of it.
select
    t.transaction_id,
    exists (select from audit_log as a where a.transaction_id = t.transaction_id)
        or exists (select from sales_transaction as r where r.return_of = t.transaction_id) as is_changed
from imported_sale as s
join sales_transaction as t using (transaction_id)
where s.import_id = :import_id
order by t.transaction_id
for update of t
