-- superusers: one row per user that may do anything: root, and those that RisingWave brings along, without a password.
select usename from pg_catalog.pg_user where usesuper
