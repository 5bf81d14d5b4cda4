-- user: at most one row, when there is a user of this name.
select usename from pg_catalog.pg_user where usename = :name
