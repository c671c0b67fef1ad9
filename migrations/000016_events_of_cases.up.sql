-- A case that has no order tells of itself: its events stand under the case's own id
-- in place of an order's, numbered 1 for opened and 2 for resolved. So the key of an
-- event is no order's in every row, and cannot be a foreign key. What sees to it that
-- it names an order or a case is that both are written by the transaction, and under
-- the lock, of what they tell; no order is ever deleted, and the other tables of an
-- order still refuse that.
alter table events drop constraint events_order_id_fkey;
comment on column events.order_id is 'The order; of an event about a case without an order, the case.';
