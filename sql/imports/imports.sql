-- imports: one row per import, newest first: who brought which file and when, what it added, how much of that is left, and
-- who has undone it.
select
    i.import_id, i.imported_at, i.actor, i.file_name, i.sales, i.lines, i.revenue, i.refused_rows, i.undone_at, i.undone_by,
    (
        select count(*)
        from imported_sale as s
        join sales_transaction as t using (transaction_id)
        where s.import_id = i.import_id
    ) as sales_left,
    (select min(transaction_id) from imported_sale as s where s.import_id = i.import_id) as first_id
from sales_import as i
order by i.import_id desc
limit :most
