alter table gift_cards drop column code_key;
