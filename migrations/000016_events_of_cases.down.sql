-- Events of cases without an order stay, since the audit has taken them over and proves
-- that they are there: the key is not checked for what was written before.
alter table events add constraint events_order_id_fkey foreign key (order_id) references orders (id) not valid;
comment on column events.order_id is null;
