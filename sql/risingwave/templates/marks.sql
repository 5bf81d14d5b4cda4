-- marks: one row per thing that was made, with a hash of what it was made from; {rows} are pairs of texts.
create view workbench_built as
select * from (values {rows}) as built (name, mark)
