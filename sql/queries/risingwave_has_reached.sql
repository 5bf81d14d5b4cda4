-- risingwave_has_reached: one row, whether RisingWave has every commit up to a token. It has no type for positions:
-- filled up with zeros, their hexadecimal digits compare as text.
select
    lpad(split_part(lsn, '/', 1), 8, '0') || lpad(split_part(lsn, '/', 2), 8, '0')
    >= lpad(split_part(:token, '/', 1), 8, '0') || lpad(split_part(:token, '/', 2), 8, '0') as has_reached
from heartbeat
