-- view_for_readers: the view {name}, made anew from its body for those who read; the comment tells which body it was.
drop view if exists {name};
create view {name} as
{body};
comment on view {name} is '{comment}';
grant select on {name} to workbench_reader
