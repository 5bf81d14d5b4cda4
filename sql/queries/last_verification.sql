-- last_verification: the newest result of a verification: one row, none before the first.
select
    verified_at,
    token::text as token,
    engines,
    figures,
    differences,
    problems
from verification
order by verification_id desc
limit 1
