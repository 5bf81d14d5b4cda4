-- save_verification: one row, when the result of the verification was added.
insert into verification (verified_at, token, engines, figures, differences, problems)
values (
    :verified_at,
    cast(:token as pg_lsn),
    :engines,
    :figures,
    cast(:differences as jsonb),
    cast(:problems as jsonb)
)
returning verified_at
