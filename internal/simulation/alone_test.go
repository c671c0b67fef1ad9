package simulation

// alone makes a database answer as if it were the only one of its server, and keep
// what becomes of endpoints.
//
// What other databases have under way holds back events here: with other histories
// beside it, one would not be the same each time. So the oldest transaction under way
// is that of our own database, which is one that has written, and holds a lock on a
// table of ours.
const alone = `
create function public.pg_snapshot_xmin(s pg_snapshot) returns xid8 language sql stable as $$
	select coalesce((select min(x) from pg_snapshot_xip(s) x where exists (
			select from pg_locks held join pg_locks of on of.pid = held.pid
			where held.locktype = 'transactionid' and held.mode = 'ExclusiveLock' and held.granted and held.transactionid = x::xid
				and of.database = (select oid from pg_database where datname = current_database())
				and of.relation >= 16384 and of.mode in ('RowShareLock', 'RowExclusiveLock'))),
		pg_snapshot_xmax(s))
$$;
create table endpoint_log (
	n bigserial primary key, xact bigint not null, store text not null, id uuid not null, url text not null, types text[] not null,
	active boolean not null, since bigint not null, was bigint not null,
	until bigint, until_was bigint
);
create function log_endpoint() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' then
		insert into endpoint_log (xact, store, id, url, types, active, since, was)
			values (pg_current_xact_id()::text::bigint, old.store, old.id, old.url, old.types, false, old.since, old.since);
	elsif tg_op = 'INSERT' then
		insert into endpoint_log (xact, store, id, url, types, active, since, was)
			values (pg_current_xact_id()::text::bigint, new.store, new.id, new.url, new.types, new.active, new.since, new.since);
	elsif (old.url, old.types, old.active, old.since) is distinct from (new.url, new.types, new.active, new.since) then
		insert into endpoint_log (xact, store, id, url, types, active, since, was, until, until_was)
			values (pg_current_xact_id()::text::bigint, new.store, new.id, new.url, new.types, new.active, new.since, old.since,
				new.until, old.until);
	end if;
	return null;
end $$;
create trigger log_endpoint after insert or update or delete on webhook_endpoints for each row execute function log_endpoint();
do $$ begin execute 'alter database ' || current_database() || ' set search_path = public, pg_catalog'; end $$`
