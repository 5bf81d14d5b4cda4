-- loads: one row per load of which sales are left, newest first: when and by whom, how many, how many changed since.
select a.audit_id as load_id, a.logged_at as loaded_at, a.actor, s.sales, s.changed
from (
    select load_id, count(*) as sales, count(*) filter (where is_changed) as changed
    from sample_sale
    group by load_id
) as s
join audit_log as a on a.audit_id = s.load_id
order by a.audit_id desc
