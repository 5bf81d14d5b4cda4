-- audit_load: one row for the whole load, instead of one for each sale and line.
insert into audit_log (actor, operation, table_name, after)
values (coalesce(nullif(:actor, ''), audit_actor()), 'bulk load', 'sales_transaction', cast(:after as jsonb))
