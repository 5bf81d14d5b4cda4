-- add_account: one row, the new account; none when there is one of this name already.
insert into account (account_name, role, stores, password_hash)
values (:account_name, :role, cast(:stores as bigint[]), :password_hash)
on conflict (lower(account_name)) do nothing
returning account_id, account_name, role, stores, created_at, disabled_at
