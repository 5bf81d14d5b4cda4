-- operation: one row per sale that the transaction :operation changed for the :reason: the log's entry of it, who did it, the
-- header before and after, and whether that was taken back since.
select
    a.transaction_id,
    a.audit_id,
    a.actor,
    (a.before - 'lines')::text as before,
    (a.after - 'lines')::text as after,
    exists (
        select from audit_log as u
        where u.undoes = a.audit_id and not exists (select from audit_log as v where v.undoes = u.audit_id)
    ) as is_undone
from audit_log as a
where a.xact_id = cast(:operation as xid8) and a.reason = :reason and a.operation = 'update'
order by a.transaction_id
