alter table reconciliations
    drop column pages,
    drop column mark;
