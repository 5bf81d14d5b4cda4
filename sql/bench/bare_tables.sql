-- bare_tables: the tables that a save writes, made anew in a schema of their own: their keys, checks and indexes, and no
-- triggers. What a save costs there is what the triggers are measured by. No rows.
drop schema if exists bare cascade;
create schema bare;
create table bare.sales_transaction (like public.sales_transaction including all);
create table bare.sales_item (like public.sales_item including all);
create table bare.sales_request (like public.sales_request including all);
alter table bare.sales_item add foreign key (transaction_id) references bare.sales_transaction on delete cascade
