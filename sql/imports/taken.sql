-- taken: one row, how many sales are imported, with how many lines, how much they are and how many take back.
select
    count(*) as sales,
    coalesce(sum(lines), 0)::bigint as lines,
    coalesce(sum(total_amount), 0) as revenue,
    count(coalesce(return_of, returns_sale)) as returns
from header
