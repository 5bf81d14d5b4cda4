-- first_rows: at most one row, how many of the rows that a table had at first have been read, and whether all have.
select row_count as held, backfill_finished as is_read from "{name}"
