-- drop_slot: at most one row, the slot of this name, which is dropped; a reader that is still there is ended first.
select
    case when s.active_pid is not null then pg_terminate_backend(s.active_pid, 5000) end as is_ended,
    pg_drop_replication_slot(s.slot_name)
from pg_replication_slots as s
where s.slot_name = :slot
