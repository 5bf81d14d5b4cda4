-- store: one row per store by its number, as sales have it: no foreign key, a sale may be of a store that is not here.
create table store (
    store_id integer primary key check (store_id > 0),
    store_name varchar(100) not null check (btrim(store_name) <> ''),
    city varchar(100),
    region varchar(100),
    opened_on date,
    closed_on date,
    opening_hours varchar(200),
    time_zone varchar(60),                    -- where it differs from that of the stores' clock
    version bigint not null default nextval('catalogue_version_seq'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint store_closed_after_opened check (closed_on >= opened_on)
);

create trigger catalogue_version
    before update on store
    for each row when (old.* is distinct from new.*) execute function catalogue_version();
create trigger catalogue_change
    after insert or delete on store
    for each row execute function catalogue_change(store_id);
create trigger catalogue_change_update
    after update on store
    for each row when (old.* is distinct from new.*) execute function catalogue_change(store_id);

grant select on store to workbench_reader;
