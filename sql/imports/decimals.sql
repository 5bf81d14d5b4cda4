-- decimals: one row, how many of the texts (looked_at) end with decimals after a comma, and how many after a point.
select
    count(*) filter (where regexp_matches(text, ',\d{1,2}$|,\d{4,}$')) as commas,
    count(*) filter (where regexp_matches(text, '\.\d{1,2}$|\.\d{4,}$')) as points
from looked_at
