-- set_password: one row, the account, which has another password from now on; none when there is none of this name.
update account
set password_hash = :password_hash
where lower(account_name) = lower(:account_name)
returning account_id, account_name, role, stores, created_at, disabled_at
