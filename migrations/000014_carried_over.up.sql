-- What has to be known later than when it was: of a run, what it is about, and of a
-- capture that is to be the last, what becomes of the money that it leaves.

-- The facts that a run recorded, by the number of their transaction, and the address
-- that it came from. Kept while somebody goes on with the run, since its next stretch
-- may be another instance's; null for none.
alter table runs add column cause json;

-- '' for a capture that others may follow, and for all that is no capture
alter table transactions
    add column rest text not null default '' check (rest in ('', 'released', 'voided', 'held'));
