-- delete_sale: one row when the sale still had the loaded version; its lines go with it, and the log keeps it and why.
with header as (
    delete from sales_transaction
    where transaction_id = :transaction_id and version = :version
    returning transaction_id, version
),
request as (
    insert into sales_request (request_id, operation, transaction_id, fingerprint, version)
    select cast(:request_id as uuid), 'delete', transaction_id, :fingerprint, version
    from header
)
select transaction_id, version, set_config('workbench.actor', :actor, true) as actor,
    set_config('workbench.reason', :reason, true) as reason
from header
