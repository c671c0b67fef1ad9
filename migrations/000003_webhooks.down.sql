drop table webhook_deliveries;
drop table event_cursors;
drop table webhook_endpoints;
