-- identity: one row, which database this is: a copy of another one, or of another schema, is of no use.
select s.system_identifier || '/' || c.timeline_id || '/' || v.version_num as identity
from pg_control_system() as s
cross join pg_control_checkpoint() as c
cross join alembic_version as v
