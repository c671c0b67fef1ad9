drop table reservations;
alter table payments drop constraint payments_charge, drop column details;
