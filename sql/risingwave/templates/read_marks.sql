-- read_marks: one row per thing that was made, with a hash of what it was made from.
select name, mark from workbench_built
