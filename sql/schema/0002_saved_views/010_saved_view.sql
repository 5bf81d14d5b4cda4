-- saved_view: one row per named view of a page: its state as in the address, for its owner or for all.
-- Not published and not audited: it is nobody's data but the workbench's own.
create table saved_view (
    saved_view_id bigint generated always as identity primary key,
    owner varchar(100) not null,
    view_name varchar(100) not null,
    state varchar(8000) not null,             -- the address after the question mark
    is_shared boolean not null default false, -- others see it too; only its owner changes it
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint saved_view_owner_not_blank check (btrim(owner) <> ''),
    constraint saved_view_name_not_blank check (btrim(view_name) <> '')
);

-- "Today" and "today" would be told apart by nobody.
create unique index saved_view_owner_name_key on saved_view (owner, lower(view_name));

grant select, insert, update, delete on saved_view to workbench_writer;
grant select on saved_view to workbench_reader;
