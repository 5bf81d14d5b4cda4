-- tables: the columns, as DuckDB keeps them, empty. The facts have the columns of sql/metrics' facts, so that one
-- statement asks either; a line repeats the columns of its sale, so that no question joins the two. {declared} are those
-- that figures are given for.
create or replace table fact_sales ( -- one row per sale or return
    transaction_id bigint,
    transaction_time timestamp,
    day date,
    hour integer,
    {declared},
    customer_type varchar,
    customer_id integer,
    revenue decimal(12, 2),
    discount decimal(12, 2),
    is_return boolean,
    return_of bigint, -- the sale that a return takes back from
    articles_low ubigint, -- the bits of the articles of its lines, the most sold 64
    articles_high ubigint -- and the others
);

create or replace table fact_lines ( -- one row per line
    item_id bigint,
    transaction_id bigint,
    transaction_time timestamp,
    day date,
    hour integer,
    {declared},
    customer_type varchar,
    customer_id integer,
    category varchar,
    product_code varchar,
    article integer,
    items integer,
    revenue decimal(12, 2),
    discount decimal(12, 2),
    is_return boolean
);

-- One row per product code, name and category that a line has, or had. The most sold ones have a bit of their own in
-- fact_sales, all others share the last one: which sales have a line is then told by their sales alone.
create or replace table articles (
    article integer,
    product_code varchar,
    product_name varchar,
    category varchar
);

create or replace table first_sales as select * exclude (revenue, discount, is_return, return_of) from fact_sales; -- one row per customer

create or replace table held ( -- one row: whose copy this is, up to where
    definition varchar,
    revision bigint,
    horizon bigint,
    seen bigint[],
    identity varchar,
    lsn varchar
);
