-- restore_sale: one row when the deletion that the log's entry tells of was taken back, with the sale that is there again.
select
    transaction_id, version, transaction_time, set_config('workbench.actor', :actor, true) as actor,
    set_config('workbench.reason', :reason, true) as reason
from restore_sale(:audit_id, cast(:request_id as uuid), :fingerprint)
