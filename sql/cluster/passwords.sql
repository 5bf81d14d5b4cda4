-- The roles of the sales database, and the superuser, with the verifier of each one's password: one row a role.
-- For the superuser.

select
    rolname,
    rolpassword
from pg_authid
where rolname like 'workbench\_%' or rolname = 'postgres';
