-- loose_grants: one row, whether the reader may execute what can write or end others' sessions (sql/cluster/database.sql).
select
    has_function_privilege(:reader, 'lo_create(oid)', 'execute')
    or has_function_privilege(:reader, 'pg_terminate_backend(integer, bigint)', 'execute') as is_loose
