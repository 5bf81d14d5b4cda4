-- master_clock: one row, the time now, before a read that is answered here: all that was committed by then is in it.
select clock_timestamp() as as_of
