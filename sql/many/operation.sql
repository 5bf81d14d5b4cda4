-- operation: one row per sale that the transaction :operation changed for the :reason: the log's entry of it, who did it,
-- and the header before and after.
select
    a.transaction_id,
    a.audit_id,
    a.actor,
    (a.before - 'lines')::text as before,
    (a.after - 'lines')::text as after
from audit_log as a
where a.xact_id = cast(:operation as xid8) and a.reason = :reason and a.operation = 'update'
order by a.transaction_id
