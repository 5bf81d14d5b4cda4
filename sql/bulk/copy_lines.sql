-- copy_lines: one row per line, from the client; item_id comes from its sequence, in the order of entry.
copy sales_item (
    transaction_id, product_code, product_name, category, quantity, unit_price, discount, total_price
) from stdin
