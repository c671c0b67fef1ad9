drop index transactions_settled;
drop table reconciliation_seen;
drop table reconciliations;
