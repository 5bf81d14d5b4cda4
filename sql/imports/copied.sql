-- copied_headers, copied_lines, copied_imported: what the three COPYs of an import are given, in the file's order, once its
-- sales are numbered. What COPY takes for more than a letter is written with a backslash before it; tabs and lines' ends
-- no text has.
create or replace macro copied_text(text) as replace(text, '\', '\\');
create or replace view copied_headers as
select
    transaction_id, transaction_time, cashier_id, store_id, copied_text(payment_method), total_amount, total_discount,
    customer_id, coalesce(return_of, returned_id) as return_of
from header
join numbered using (sale)
left join (select sale as returns_sale, transaction_id as returned_id from numbered) using (returns_sale)
order by sale;
create or replace view copied_lines as
select
    transaction_id, copied_text(product_code), copied_text(product_name), copied_text(category), quantity, unit_price,
    discount, total_price
from line
join numbered using (sale)
order by sale, row;
create or replace view copied_imported as
select transaction_id, getvariable('import_id'), store_id, copied_text(invoice), fingerprint
from header
join numbered using (sale)
order by sale;
