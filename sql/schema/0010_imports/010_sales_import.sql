-- sales_import: one row per import of a file of sales that was saved: which file, who, when, how its columns were read and
-- what it added. Not published: it is nobody's data but the workbench's own.
create table sales_import (
    import_id bigint generated always as identity primary key,
    imported_at timestamptz not null default clock_timestamp(),
    actor varchar(100) not null,
    file_name varchar(255) not null,
    file_hash char(64) not null,              -- SHA-256 of the file
    mapping jsonb not null,
    sales bigint not null,
    lines bigint not null,
    revenue numeric(20, 2) not null,
    refused_rows bigint not null,             -- of the file, that were left out
    undone_at timestamptz,
    undone_by varchar(100)
);

grant select on sales_import to workbench_reader;
-- imported_sale: one row per sale that an import made, by the number it has in its file (where files have none: by the
-- file's hash and the row). It outlives the sale, so that the same file again does not bring back what was voided since.
create table imported_sale (
    transaction_id bigint primary key,
    import_id bigint not null references sales_import,
    store_id integer not null,
    invoice text not null,
    fingerprint uuid not null                 -- of what the file says of the sale
);

create index imported_sale_invoice_idx on imported_sale (invoice, store_id);
create index imported_sale_import_idx on imported_sale (import_id);

grant select on imported_sale to workbench_reader;
-- import_mapping: one row per named way in which a file's columns are read, for all who import.
create table import_mapping (
    mapping_name varchar(100) primary key,
    mapping jsonb not null,
    kept_by varchar(100) not null,
    kept_at timestamptz not null default now(),
    constraint import_mapping_name_not_blank check (btrim(mapping_name) <> '')
);

grant select on import_mapping to workbench_reader;
