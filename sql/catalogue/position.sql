-- position: one row, up to which entry of its log the catalogue is shown here; 0 for none.
select coalesce(max(log_id), 0) as position
from catalogue_log
