-- When an order that has a time is to be looked at again, null once that is
-- settled. Only the job of expiry changes it: what pays an order leaves it alone,
-- so that its update stays a cheap one, and the job finds the order settled.
alter table orders add column expiry_due_at timestamptz;
update orders set expiry_due_at = expires_at where expires_at is not null and status = 'pending';
create index orders_expiry_due on orders (expiry_due_at) where expiry_due_at is not null;
