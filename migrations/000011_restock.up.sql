-- What an effect took, so that undoing it gives back just that: of stock, how many
-- pieces of each article. Null for effects from before, and for others.
alter table effects add column taken json;
