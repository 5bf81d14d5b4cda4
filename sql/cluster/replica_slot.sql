-- The replica's slot on the master: one row, none when the slot is missing.

select
    wal_status is not distinct from 'lost' or invalidation_reason is not null as is_lost
from pg_replication_slots
where slot_name = 'replica';
