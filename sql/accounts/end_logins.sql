-- end_logins: ends all logins of an account.
delete from login where account_id = :account_id
