-- set_disabled: one row, the account as it is now, disabled or enabled; none when there is none of this name.
update account
set disabled_at = case when cast(:is_disabled as boolean) then coalesce(disabled_at, now()) end
where lower(account_name) = lower(:account_name)
returning account_id, account_name, role, stores, created_at, disabled_at
