-- slots: one row per replication slot of the master.
select
    slot_name,
    slot_type,
    active as is_active,
    wal_status,
    pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint as retained_bytes
from pg_replication_slots
order by slot_name
