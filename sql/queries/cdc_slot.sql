-- cdc_slot: at most one row, the slot of this name and whether somebody reads from it.
select slot_name, active_pid from pg_replication_slots where slot_name = :slot
