-- sale_version: every change of a header moves its version and updated_at, whoever makes it.
create function sale_version() returns trigger
language plpgsql
set search_path = public, pg_temp
as $$
begin
    new.version := old.version + 1;
    new.updated_at := now();
    return new;
end
$$;

create trigger sale_version
    before update on sales_transaction
    for each row execute function sale_version();
