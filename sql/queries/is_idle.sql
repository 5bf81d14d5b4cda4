-- is_idle: one row when the server process %(pid)s has nothing to do: who still waits for it waits for what was lost.
select
from pg_stat_activity
where pid = %(pid)s and starts_with(state, 'idle')
