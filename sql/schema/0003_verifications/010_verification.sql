-- verification: one row per run of `workbench verify`: what was compared at which token, and what differed.
-- Not published and not audited: it is nobody's data but the workbench's own.
create table verification (
    verification_id bigint generated always as identity primary key,
    verified_at timestamptz not null,
    token pg_lsn not null,
    engines text[] not null,
    figures bigint not null,
    differences jsonb not null, -- a list of objects, one for each figure that differs
    problems jsonb not null,    -- a list of texts: what could not be compared, and why
    constraint verification_figures_not_negative check (figures >= 0)
);

grant select, insert on verification to workbench_writer;
grant select on verification to workbench_reader;
