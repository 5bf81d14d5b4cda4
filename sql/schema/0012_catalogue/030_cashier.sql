-- cashier: one row per cashier by the number that sales have.
create table cashier (
    cashier_id integer primary key check (cashier_id > 0),
    cashier_name varchar(100) not null check (btrim(cashier_name) <> ''),
    store_id integer references store,        -- where they usually are
    version bigint not null default nextval('catalogue_version_seq'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create trigger catalogue_version
    before update on cashier
    for each row when (old.* is distinct from new.*) execute function catalogue_version();
create trigger catalogue_change
    after insert or delete on cashier
    for each row execute function catalogue_change(cashier_id);
create trigger catalogue_change_update
    after update on cashier
    for each row when (old.* is distinct from new.*) execute function catalogue_change(cashier_id);

grant select on cashier to workbench_reader;
