-- end_login: ends one login.
delete from login where token_hash = :token_hash
