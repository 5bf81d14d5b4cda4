-- return_of: the sale that a return takes back from; null: a sale. A sale has positive quantities and amounts, a return
-- negative ones: what is summed over both is net. Which of both a header or a line is, is told by the sign of its price
-- before discount, so that those who follow the tables need no further column.
alter table sales_transaction
    add column return_of bigint constraint sales_transaction_return_of_fkey references sales_transaction,
    drop constraint sales_transaction_total_amount_not_negative,
    drop constraint sales_transaction_total_discount_not_negative,
    add constraint sales_transaction_total_amount_signed check (
        case
            when return_of is null then total_amount >= 0 and total_amount < 'Infinity'
            else total_amount <= 0 and total_amount > '-Infinity'
        end
    ),
    add constraint sales_transaction_total_discount_signed check (
        case
            when return_of is null then total_discount >= 0 and total_discount < 'Infinity'
            else total_discount <= 0 and total_discount > '-Infinity'
        end
    );

-- A sale that is none costs it nothing.
create index sales_transaction_return_of_idx on sales_transaction (return_of) where return_of is not null;

alter table sales_item
    drop constraint sales_item_quantity_positive,
    drop constraint sales_item_discount_within_line,
    add constraint sales_item_quantity_not_zero check (quantity <> 0),
    -- With the derived total: a discount of at most the line, said without multiplying again.
    add constraint sales_item_discount_within_line check (
        case when quantity > 0 then discount >= 0 and total_price >= 0 else discount <= 0 and total_price <= 0 end
    );
