-- recorded_by: one row per sale of :sales that somebody recorded, and who; none for those that a load brought.
select distinct on (transaction_id) transaction_id, actor
from audit_log
where transaction_id = any (cast(:sales as bigint[])) and operation = 'insert' and item_id is null and undoes is null
order by transaction_id, audit_id
