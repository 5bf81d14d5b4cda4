-- doubtful: one row per row of the file whose sale is not plain, sale by sale.
select s.sale, s.has_return, s.has_fault, s.disagrees, t.*
from typed as t
join (
    select sale, has_return, has_fault, disagrees, unnest(rows) as row
    from sale
    where not is_plain
) as s using (row)
order by s.sale, t.row
