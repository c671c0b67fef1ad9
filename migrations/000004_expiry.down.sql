drop index orders_expiry_due;
alter table orders drop column expiry_due_at;
