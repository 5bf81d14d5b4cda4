-- table_state: at most one row, the name of the table in which RisingWave notes how far it has read a table at first.
select name from rw_catalog.rw_internal_tables
where lower(name) like :pattern
