-- product: one row per product by the code that lines of sales have.
create table product (
    product_code varchar(50) primary key check (btrim(product_code) <> ''),
    product_name varchar(255) not null check (btrim(product_name) <> ''),
    category varchar(100),
    version bigint not null default nextval('catalogue_version_seq'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create trigger catalogue_version
    before update on product
    for each row when (old.* is distinct from new.*) execute function catalogue_version();
create trigger catalogue_change
    after insert or delete on product
    for each row execute function catalogue_change(product_code);
create trigger catalogue_change_update
    after update on product
    for each row when (old.* is distinct from new.*) execute function catalogue_change(product_code);

grant select on product to workbench_reader;
