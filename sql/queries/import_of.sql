-- import_of: one row if an import of a file brought the sale: when, who and which file.
select i.imported_at, i.actor, i.file_name
from imported_sale as s
join sales_import as i using (import_id)
where s.transaction_id = :transaction_id
