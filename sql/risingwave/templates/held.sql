-- held: one row, how many rows a table or materialized view has and when they last changed.
select count(*) as held, max(_rw_timestamp) as changed_at from {name}
