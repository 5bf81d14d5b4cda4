-- begin_login: one row: a login of an account that is still enabled; until when it holds. Those that have ended go.
with ended as (
    delete from login where ends_at <= now()
)
insert into login (token_hash, account_id, ends_at)
select :token_hash, account_id, now() + make_interval(secs => :seconds)
from account
where account_id = :account_id and disabled_at is null
returning ends_at
