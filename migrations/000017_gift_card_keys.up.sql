-- Which key the hash of a code was made with, so that another key can follow, and
-- one that does not fit is noticed. '' is of a card from before hashes had a key:
-- its code is not found any more.
alter table gift_cards add column code_key text not null default '';
