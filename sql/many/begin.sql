-- begin: one row, the number of this transaction, by which the entries that it adds to the log belong together. Who changes
-- sales and why, as a text that ends with this number, or that of the operation :of, is said for all of them; each sale is
-- logged when it is written.
set constraints all immediate;
select
    set_config('workbench.actor', :actor, true) as actor,
    set_config('workbench.reason', :reason || coalesce(nullif(:of, ''), pg_current_xact_id()::text), true) as reason,
    set_config('statement_timeout', :limit, true) as statement_timeout,
    pg_current_xact_id()::text as operation
