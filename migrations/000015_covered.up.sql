-- What is given back before an order is covered is due again, and what is given back
-- afterwards is not: the number that the order had given out last when it was covered
-- tells the one from the other. 0 before that, and for orders from before: of those
-- nothing that was given back is due again.
alter table orders add column covered_n integer not null default 0;

-- Money that a person gives back of an order that was never covered is not the order's
-- any more.
alter table payments drop constraint payments_release_reason_check;
alter table payments add constraint payments_release_reason_check check (release_reason in
    ('', 'tender_incomplete', 'cancelled', 'surplus', 'paid_after_cancel', 'capture_final', 'by_request', 'not_covered'))
    not valid;
