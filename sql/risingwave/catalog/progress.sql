-- progress: one row per materialized view that is being built, with how far it is, such as 12.3%.
select ddl_id as job, ddl_statement as statement, progress from rw_catalog.rw_ddl_progress
