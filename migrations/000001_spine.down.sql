drop table baskets, promotion_codes, stock, api_keys, idempotency_keys, cases, notifications, events, notes, runs,
    attributes, effects, transactions, payments, order_details, orders;
