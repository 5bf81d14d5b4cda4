-- request: one row when this request id was used before: for what, and with which result.
-- The time is null when the sale has gone since.
select r.operation, r.transaction_id, r.version, r.fingerprint, t.transaction_time
from sales_request as r
left join sales_transaction as t using (transaction_id)
where r.request_id = cast(:request_id as uuid)
