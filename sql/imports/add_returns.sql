-- sale, line, header: the returns (returned, returned_line), as sales of their own that come after all others.
insert into sale
select r.sale, s.* exclude (sale)
from returned as r
join sale as s on s.sale = r.of;
insert into line
select
    sale, row, product_code, product_name, category, -quantity, unit_price, 0, -quantity * unit_price
from returned_line;
insert into header
select
    r.sale, r.transaction_time, r.cashier_id, r.store_id, r.payment_method, r.customer_id, s.invoice, s.fingerprint,
    r.returns_sale, r.return_of, l.total_amount, 0, l.lines
from returned as r
join sale as s on s.sale = r.of
join (select sale, sum(total_price) as total_amount, count(*) as lines from line group by sale) as l on l.sale = r.sale;
