// Package simulation holds the deterministic simulation of the whole service. It
// is made of tests only.
//
// A history is some orders, shoppers and merchants, two instances of the service
// and a PSP, in a bubble of virtual time (testing/synctest) over a real
// PostgreSQL. Whatever crosses a boundary stops at a gate: every statement sent to
// the database, every request to the PSP and every answer of it, every
// notification, every request to an instance. Once all stand still, a scheduler
// that is seeded lets exactly one go on, or has something go wrong there: a lost
// request, a lost answer to COMMIT, an instance that dies. So one number decides a
// whole history, and a failing one is seen again step for step.
//
// When a history ends, all faults are healed, the background work is done until
// nothing is due, and a checker compares our books with the ledger that the
// simulated PSP keeps, in SQL and arithmetic of its own.
//
// docs/simulation.md says how to run it, and how to read a trace.
package simulation
