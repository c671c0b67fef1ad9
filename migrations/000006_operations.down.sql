alter table events drop column actor, drop column source;
alter table idempotency_keys drop column run;
alter table transactions drop column run, drop column store_reference, drop column purpose;
drop index payments_clock_due;
drop index payments_release_due;
alter table payments
    drop column kind,
    drop column tender,
    drop column release_reason,
    drop column release_refund,
    drop column release_due_at,
    drop column release_tries,
    drop column capture_before,
    drop column clock_due_at;
