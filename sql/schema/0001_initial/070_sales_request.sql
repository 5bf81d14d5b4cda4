-- sales_request: one row per accepted submit. It outlives the sale, so that a submit repeated after a lost answer,
-- a later edit or a deletion still gets its first result instead of a second sale.
create table sales_request (
    request_id uuid primary key,
    operation text not null,          -- create, update, delete
    transaction_id bigint not null,
    fingerprint text not null,        -- SHA-256 of the submitted content: the same id with other content is refused
    version integer not null,         -- the sale's version that the submit made
    requested_at timestamptz not null default now()
);
