-- forget: takes the sales of `again` out, with their lines; gives the customers whose first sale ever was one of them.
delete from fact_lines where transaction_id in (select a.transaction_id from again as a);

delete from fact_sales where transaction_id in (select a.transaction_id from again as a);

delete from first_sales where transaction_id in (select a.transaction_id from again as a) returning customer_id;
