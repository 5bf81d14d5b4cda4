-- change_account: one row, the account as it is now, with another role and other stores; none when there is none.
update account
set role = :role, stores = cast(:stores as bigint[])
where lower(account_name) = lower(:account_name)
returning account_id, account_name, role, stores, created_at, disabled_at
