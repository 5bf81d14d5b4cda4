-- login: one row per login that has not ended: whose, until when, by the SHA-256 of what the browser's cookie holds.
-- It is deleted when the person logs out, and when the account is disabled or gets another password.
create table login (
    token_hash char(64) primary key,
    account_id bigint not null references account on delete cascade,
    began_at timestamptz not null default now(),
    ends_at timestamptz not null
);

create index login_account_idx on login (account_id);

grant select on login to workbench_reader;
