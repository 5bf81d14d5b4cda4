-- save_verification: adds one row: the result of a verification.
insert into verification (verified_at, token, engines, figures, differences, problems)
values (
    :verified_at,
    cast(:token as pg_lsn),
    :engines,
    :figures,
    cast(:differences as jsonb),
    cast(:problems as jsonb)
)
