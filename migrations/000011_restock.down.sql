alter table effects drop column taken;
