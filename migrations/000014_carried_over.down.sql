alter table transactions drop column rest;
alter table runs drop column cause;
