comment on index cases_once is null;
alter table cases
    drop column payment,
    drop column amount,
    drop column claimed,
    drop column claimed_currency,
    drop column resolved_at,
    drop column resolution,
    drop column resolved_reason,
    drop column resolved_by,
    drop column action;
