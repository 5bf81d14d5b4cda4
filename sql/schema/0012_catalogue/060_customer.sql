-- customer: one row per customer whose name is known, by the number that sales have. The name is here alone: sales, the log and
-- those who follow the master do not have it, and the reader, whose queries people write, may not read it.
create table customer (
    customer_id integer primary key check (customer_id > 0),
    customer_name varchar(100) not null check (btrim(customer_name) <> ''),
    version bigint not null default nextval('catalogue_version_seq'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create trigger catalogue_version
    before update on customer
    for each row when (old.* is distinct from new.*) execute function catalogue_version();
create trigger catalogue_change
    after insert or delete on customer
    for each row execute function catalogue_change(customer_id);
create trigger catalogue_change_update
    after update on customer
    for each row when (old.* is distinct from new.*) execute function catalogue_change(customer_id);

grant select (customer_id, version, created_at, updated_at) on customer to workbench_reader;
