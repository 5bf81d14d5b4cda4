-- log: one row per entry of the audit log about a sale, a bulk load or an import, newest first, before the entry :older_than (null: from
-- the newest); of entries from before migration 0008 those of headers. The totals are the sale's before and after. Days are
-- those on which it was written, from :since to before :until; a store is that of the sale before or after; null is any.
with entry as (
    select
        a.*,
        case a.operation
            when 'insert' then case when a.undoes is null then 'created' else 'restored' end
            when 'update' then 'edited'
            when 'delete' then 'deleted'
            else a.operation
        end as kind
    from audit_log as a
    where a.item_id is null
        and (a.audit_id < :older_than or cast(:older_than as bigint) is null)
        and (a.logged_at >= :since or cast(:since as timestamptz) is null)
        and (a.logged_at < :until or cast(:until as timestamptz) is null)
        and (a.actor = :actor or cast(:actor as text) is null)
)
select
    e.audit_id,
    e.logged_at,
    e.actor,
    e.kind,
    e.transaction_id,
    e.reason,
    (coalesce(e.after, e.before) ->> 'store_id')::integer as store_id,
    (e.before ->> 'total_amount')::numeric as before,
    (e.after ->> 'total_amount')::numeric as after,
    (coalesce(e.after, e.before) ->> 'sales')::bigint as loaded
from entry as e
where (e.kind = :kind or cast(:kind as text) is null)
    and (
        cast(:store_id as integer) is null
        or :store_id in ((e.before ->> 'store_id')::integer, (e.after ->> 'store_id')::integer)
    )
order by e.audit_id desc
limit :most
