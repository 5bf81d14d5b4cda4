-- account: one row for the account of this name, in whatever case, also when it is disabled. Grain: account.
select account_id, account_name, role, stores, created_at, disabled_at
from account
where lower(account_name) = lower(:account_name)
