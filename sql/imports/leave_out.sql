-- leave_out: takes sales out of what is imported (further: each with kind and reason); all rows of one get its verdict.
insert into verdict
select unnest(s.rows), f.sale, f.kind, f.reason
from further as f
join sale as s using (sale);
delete from line where sale in (select sale from verdict);
delete from header where sale in (select sale from verdict);
