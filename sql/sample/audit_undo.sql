-- audit_undo: one row for all sales of a load that were taken back.
insert into audit_log (actor, operation, table_name, before)
values (coalesce(nullif(:actor, ''), audit_actor()), 'bulk undo', 'sales_transaction', cast(:before as jsonb))
