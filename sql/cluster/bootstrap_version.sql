-- bootstrap_version: at most one row, the comment on the database: which SQL has made it.
select shobj_description(oid, 'pg_database') from pg_database where datname = %s
