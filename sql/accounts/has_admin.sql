-- has_admin: one row: whether an admin may log in. With a password, unless somebody else vouches for names.
select exists (
    select from account
    where role = 'admin' and disabled_at is null and (password_hash is not null or not cast(:by_password as boolean))
)
