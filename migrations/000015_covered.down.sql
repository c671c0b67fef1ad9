update payments set release_reason = 'by_request' where release_reason = 'not_covered';
alter table payments drop constraint payments_release_reason_check;
alter table payments add constraint payments_release_reason_check check (release_reason in
    ('', 'tender_incomplete', 'cancelled', 'surplus', 'paid_after_cancel', 'capture_final', 'by_request'));
alter table orders drop column covered_n;
