-- history: one row per change to the header or to one line of a sale, in the order of the changes, as the audit log has
-- it. Changes with the same xact_id were one save; only those of the newest :most saves are given.
select
    xact_id::text as save,
    logged_at,
    actor,
    item_id,
    before::text as before,
    after::text as after
from audit_log
where transaction_id = :transaction_id
    and xact_id in (
        select xact_id
        from audit_log
        where transaction_id = :transaction_id
        group by xact_id
        order by max(audit_id) desc
        limit :most
    )
order by audit_id
