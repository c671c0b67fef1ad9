drop table gift_cards, gift_card_entries;
