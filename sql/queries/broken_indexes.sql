-- broken_indexes: one row per reading index (:names) that is missing or cannot be used.
select n.name
from unnest(cast(:names as text[])) as n (name)
left join pg_index as i on i.indexrelid = to_regclass(n.name)
where i.indisvalid is not true
order by n.name
