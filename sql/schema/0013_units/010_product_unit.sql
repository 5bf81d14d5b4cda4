-- product.unit: what one of a product is (cup, slice, kg), as people say it; null where it is just one piece.
alter table product add column unit varchar(20);
