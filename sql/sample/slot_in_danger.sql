-- slot_in_danger: at most one row, the slot that keeps most of the WAL, when that is more than half of what it may keep
-- before it is lost; and whether somebody reads from it. None where slots may keep everything.
select slot_name, is_active, kept_bytes, most_bytes
from (
    select
        slot_name,
        active as is_active,
        pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint as kept_bytes,
        pg_size_bytes(current_setting('max_slot_wal_keep_size')) as most_bytes
    from pg_replication_slots
    where wal_status <> 'lost'
) as slot
where most_bytes > 0 and kept_bytes > most_bytes / 2
order by kept_bytes desc
limit 1
