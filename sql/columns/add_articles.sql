-- add_articles: numbers the articles of the lines that take_lines holds and nobody had sold before, the most sold first.
insert into articles
select
    (select count(*) from articles) + row_number() over (order by count(*) desc) - 1 as article,
    n.product_code,
    n.product_name,
    n.category
from new_lines as n
where n.article is null
group by n.product_code, n.product_name, n.category;

update new_lines
set article = a.article
from articles as a
where new_lines.article is null
    and a.product_code = new_lines.product_code
    and a.product_name = new_lines.product_name
    and a.category is not distinct from new_lines.category
