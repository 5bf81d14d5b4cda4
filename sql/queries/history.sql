-- history: one row per entry of the audit log about a sale, in the order of the changes: a document of the sale, and of older
-- changes one header or line. Entries with the same xact_id were one save; only those of the newest :most saves are given.
-- An entry is undone that another takes back, unless that one was taken back itself.
select
    a.xact_id::text as save,
    a.audit_id,
    a.logged_at,
    a.actor,
    a.item_id,
    a.before::text as before,
    a.after::text as after,
    a.reason,
    a.undoes,
    exists (
        select from audit_log as u
        where u.undoes = a.audit_id and not exists (select from audit_log as v where v.undoes = u.audit_id)
    ) as is_undone
from audit_log as a
where a.transaction_id = :transaction_id
    and a.xact_id in (
        select xact_id
        from audit_log
        where transaction_id = :transaction_id
        group by xact_id
        order by max(audit_id) desc
        limit :most
    )
order by a.audit_id
