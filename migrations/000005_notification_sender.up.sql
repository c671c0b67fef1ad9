-- Where a notification came from, behind trusted proxies: tried again, it is
-- still from there. "" for those that were received before this was kept.
alter table notifications add column sender text not null default '';
