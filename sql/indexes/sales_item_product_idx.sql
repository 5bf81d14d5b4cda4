-- sales_item_product_idx: known products and the search by product; few distinct pairs, so that deduplication keeps it small.
create index sales_item_product_idx on sales_item (product_code, product_name)
