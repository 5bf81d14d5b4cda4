-- totals: one row per verdict, accepted rows first, then those that are there: rows, what they come to, and the first reason.
select kind, count(*) as rows, coalesce(sum(value), 0) as value, coalesce(min_by(reason, row), '') as example
from (
    select t.row, t.value, v.reason, coalesce(v.kind, $accepted) as kind
    from typed as t
    left join verdict as v using (row)
)
group by kind
order by kind <> $accepted, kind <> $already, rows desc, kind
