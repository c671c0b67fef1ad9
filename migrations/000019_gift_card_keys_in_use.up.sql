-- Which keys the cards of a store are under, without reading them all: a code that is
-- not found may be of a key that is missing.
create index gift_cards_key on gift_cards (store, code_key);
