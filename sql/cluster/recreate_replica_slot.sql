-- Gives the replica a new slot that keeps WAL from now on; returns one row: the new slot.
-- A copy that was interrupted may still hold the old one.

select pg_terminate_backend(active_pid, 5000) as is_ended
from pg_replication_slots
where slot_name = 'replica' and active_pid is not null;

select pg_drop_replication_slot(slot_name)
from pg_replication_slots
where slot_name = 'replica';

select
    slot_name,
    lsn
from pg_create_physical_replication_slot('replica', true);
