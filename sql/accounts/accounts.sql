-- accounts: one row per account, by name, without what only a login needs.
select account_id, account_name, role, stores, created_at, disabled_at
from account
order by lower(account_name)
