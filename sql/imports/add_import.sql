-- add_import: one row, the new import's number.
insert into sales_import (actor, file_name, file_hash, mapping, sales, lines, revenue, refused_rows)
values (:actor, :file_name, :file_hash, cast(:mapping as jsonb), :sales, :lines, :revenue, :refused_rows)
returning import_id
