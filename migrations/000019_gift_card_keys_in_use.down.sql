drop index gift_cards_key;
