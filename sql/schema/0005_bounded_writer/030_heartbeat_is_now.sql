-- heartbeat_is_now: a heartbeat says what time it is, and a position that the WAL has. A false one would make data look
-- fresh for ever. Who owns the table may write what it likes.
create function heartbeat_is_now() returns trigger
language plpgsql
set search_path = public, pg_temp
as $$
begin
    if pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid), 'member') then
        return new;
    end if;
    if abs(extract(epoch from new.beat_at - clock_timestamp())) > 60 then
        raise exception 'a heartbeat of % is not one of now', new.beat_at
            using errcode = 'check_violation', constraint = 'heartbeat_is_now', table = 'heartbeat';
    elsif new.lsn::pg_lsn > pg_current_wal_insert_lsn() then
        raise exception 'the WAL has not reached % yet', new.lsn
            using errcode = 'check_violation', constraint = 'heartbeat_is_now', table = 'heartbeat';
    end if;
    return new;
end
$$;

create trigger heartbeat_is_now
    before update on heartbeat
    for each row execute function heartbeat_is_now();
