-- product_price: one row per product and day from which on it has this list price.
create table product_price (
    product_code varchar(50) not null references product on delete cascade,
    valid_from date not null,
    list_price numeric(10, 2) not null check (list_price > 0),
    version bigint not null default nextval('catalogue_version_seq'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (product_code, valid_from)
);

create trigger catalogue_version
    before update on product_price
    for each row when (old.* is distinct from new.*) execute function catalogue_version();
create trigger catalogue_change
    after insert or delete on product_price
    for each row execute function catalogue_change(product_code, valid_from);
create trigger catalogue_change_update
    after update on product_price
    for each row when (old.* is distinct from new.*) execute function catalogue_change(product_code, valid_from);

grant select on product_price to workbench_reader;
