-- dates: one row, how many of the texts (looked_at) are dates without a year in front, in how many of these the first number
-- can be no month, in how many the second, and how many are written with points.
select
    count(*) filter (where first <> '') as some,
    count(*) filter (where try_cast(first as integer) > 12) as days_first,
    count(*) filter (where try_cast(second as integer) > 12) as months_first,
    count(*) filter (where mark = '.') as dotted
from (
    select
        regexp_extract(text, '^(\d{1,2})([./-])(\d{1,2})[./-]\d{2}', 1) as first,
        regexp_extract(text, '^(\d{1,2})([./-])(\d{1,2})[./-]\d{2}', 2) as mark,
        regexp_extract(text, '^(\d{1,2})([./-])(\d{1,2})[./-]\d{2}', 3) as second
    from looked_at
)
