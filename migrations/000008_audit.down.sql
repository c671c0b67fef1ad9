drop function audit_append(text, timestamptz, text, text, text, text, uuid, text, text, text, text);
drop function audit_field(text);
drop function audit_field(bytea);
drop table audit_heads;
drop table audit;
drop function audit_is_append_only();
