-- Cases end: who resolved one, how and why, and what was at risk.

alter table cases
    -- the number of the payment, 0 for none
    add column payment          integer     not null default 0,
    -- the money at risk, in the order's currency; null where nobody can say
    add column amount           bigint,
    -- what the PSP reports in place of what was asked
    add column claimed          bigint,
    add column claimed_currency text,
    add column resolved_at      timestamptz,
    add column resolution       text        not null default '',
    add column resolved_reason  text        not null default '',
    add column resolved_by      text        not null default '',
    -- what was done with the money as it was resolved
    add column action           text        not null default '' check (action in
        ('', 'none', 'approve', 'decline', 'refund')),
    add constraint cases_resolved check ((state = 'resolved') = (resolved_at is not null)),
    add constraint cases_claimed check ((claimed is null) = (claimed_currency is null));

-- cases_once stays as it is, so that the binary before runs on this schema: what
-- was reported before opens no case, not even a resolved one's. A case of a kind
-- that may go wrong again gives its place in the index up as it is resolved, by
-- putting its id behind its subject.
comment on index cases_once is 'A resolved case of a kind that recurs has its id behind its subject.';

-- What follows from the transaction of cases from before.
update cases c set payment = t.payment, amount = t.amount from transactions t
    where t.order_id = c.order_id and t.n = c.transaction and c.transaction <> 0;
