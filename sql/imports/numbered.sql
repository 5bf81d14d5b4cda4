-- numbered: one row per sale that is taken, with its id: they are given in the order of the file.
create or replace table numbered as
select h.sale, i.transaction_id
from (select sale, row_number() over (order by sale) as place from header) as h
join (
    select unnest($ids::bigint[]) as transaction_id, unnest(range(1, len($ids::bigint[]) + 1)) as place
) as i using (place)
