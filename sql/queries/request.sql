-- request: one row when this request id was used before: for what, and with which result.
select operation, transaction_id, version, fingerprint
from sales_request
where request_id = cast(:request_id as uuid)
