-- waits_for_client: one row when the server process %(pid)s waits for its client: for a statement (it has nothing to do),
-- or until the client takes more of an answer.
select
from pg_stat_activity
where pid = %(pid)s and wait_event_type = 'Client'
