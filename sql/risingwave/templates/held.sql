-- held: one row, how many rows a table or materialized view has and when they last changed, null: not since it
-- was filled.
-- A row from its filling bears no time of day but a count from 2021-04-01 on, where RisingWave's time begins.
select count(*) as held, max(_rw_timestamp) filter (where _rw_timestamp > '2021-04-02') as changed_at
from {name}
