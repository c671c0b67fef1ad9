drop table checkout_state;
