-- as_of: one row, the data time of what this server shows; null before the first heartbeat.
select beat_at as as_of from heartbeat
