-- audit_import: one row for all sales of an import, instead of one for each: who, which file, and the first and last id.
insert into audit_log (actor, operation, table_name, after, reason)
values (:actor, 'import', 'sales_transaction', cast(:after as jsonb), :reason)
