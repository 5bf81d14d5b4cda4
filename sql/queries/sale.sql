-- sale: one row, the header of a sale.
select t.*
from sales_transaction as t
where t.transaction_id = :transaction_id
