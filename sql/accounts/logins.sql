-- logins: one row for each of these logins that holds, with what its account may do now.
select l.token_hash, a.account_name, a.role, a.stores, l.ends_at
from login as l
join account as a using (account_id)
where l.token_hash = any(cast(:token_hashes as text[])) and l.ends_at > now() and a.disabled_at is null
