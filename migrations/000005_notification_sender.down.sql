alter table notifications drop column sender;
