-- Roles, their passwords and the database of the master. Run by psql as the superuser at each start: can be repeated.
\i :sql/roles.sql

\getenv owner MASTER_DB_OWNER_PASSWORD
\getenv writer MASTER_DB_PASSWORD
\getenv reader REPLICA_DB_PASSWORD
\getenv cdc RISINGWAVE_CDC_PASSWORD
\getenv replica MASTER_DB_REPLICATION_PASSWORD
alter role workbench_owner password :'owner';
alter role workbench_writer password :'writer';
alter role workbench_reader password :'reader';
alter role workbench_cdc password :'cdc';
alter role workbench_replica password :'replica';

select 'create database sales owner workbench_owner'
where not exists (select from pg_database where datname = 'sales')
\gexec

\connect sales
\i :sql/database.sql
