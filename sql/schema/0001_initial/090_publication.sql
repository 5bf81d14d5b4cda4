-- workbench_publication: what CDC may read. Made here, so that the reader of the log needs no rights over the tables.
create publication workbench_publication
    for table sales_transaction, sales_item, heartbeat
    with (publish = 'insert, update, delete');
