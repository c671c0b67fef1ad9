// Package payment holds the nouns of the service and its one rule book about
// money: orders, payments, transactions and facts, the tables of their states,
// and Order.Record, the only function that turns facts into a new money state.
//
// It is the leaf of the import graph: it knows no database, no HTTP, no PSP, no
// clock and no randomness. Everything here works in memory and is tested
// without any of them.
package payment
