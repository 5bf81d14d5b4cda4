-- imported: one row per pair of store and invoice (:sales, as JSON) that an import has brought already: its place among them,
-- and the sale.
-- Of an import that was undone those count that are still there, or there again.
select k.position, s.transaction_id, s.fingerprint::text as fingerprint, i.import_id, i.file_name, i.imported_at
from json_array_elements(cast(:sales as json)) with ordinality as k (pair, position)
join imported_sale as s on s.invoice = k.pair ->> 1 and s.store_id = (k.pair ->> 0)::integer
join sales_import as i using (import_id)
where i.undone_at is null or exists (select from sales_transaction as t where t.transaction_id = s.transaction_id)
order by s.transaction_id
