-- How many pages of a PSP's list a comparison has turned, and the cursor of one of
-- them: a list that does not end must be noticed, whoever turns its pages.
alter table reconciliations
    add column pages integer not null default 0,
    add column mark  text    not null default '';
