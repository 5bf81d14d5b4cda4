-- audit_load: one row for all sales and lines of a part of a load, instead of one for each; gives its number.
insert into audit_log (actor, operation, table_name, after)
values (coalesce(nullif(:actor, ''), audit_actor()), 'bulk load', 'sales_transaction', cast(:after as jsonb))
returning audit_id
