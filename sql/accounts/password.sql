-- password: one row for the account of this name that may log in, with the hash of its password; none else.
select account_id, account_name, role, stores, password_hash
from account
where lower(account_name) = lower(:account_name) and disabled_at is null and password_hash is not null
