-- view_comments: one row per view, with its comment.
select c.relname as view_name, obj_description(c.oid, 'pg_class') as comment
from pg_class as c
where c.relkind = 'v' and c.relnamespace = 'public'::regnamespace
