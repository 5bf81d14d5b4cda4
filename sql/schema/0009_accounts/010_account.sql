-- account: one row per person who may log in to the app: role, stores that an editor may write (null: all), and the
-- hash of the password (null: somebody else vouches for the name, such as an OAuth provider).
-- Only the owner reads hashes and writes here: neither the app's writer nor its reader, whose queries people write.
-- Not published: RisingWave has no use for it.
create table account (
    account_id bigint generated always as identity primary key,
    account_name varchar(100) not null,
    role varchar(10) not null,
    stores bigint[],
    password_hash text,
    created_at timestamptz not null default now(),
    disabled_at timestamptz,
    constraint account_name_not_blank check (btrim(account_name) <> ''),
    constraint account_role_known check (role in ('viewer', 'editor', 'admin')),
    constraint account_stores_of_editor check (stores is null or role = 'editor')
);

-- "Ana" and "ana" would be told apart by nobody.
create unique index account_name_key on account (lower(account_name));

grant select (account_id, account_name, role, stores, created_at, disabled_at) on account to workbench_reader;
