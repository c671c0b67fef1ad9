// Package e2e holds the end-to-end tests: they build the real program, boot it
// on free ports with a PostgreSQL database and a PSP of their own, and do to it
// what the world does: kill it, restart its database under load, click buttons.
// The PSP is the simulator inside the test process, so that its ledger survives
// whatever happens to the service, and our books can be compared with it.
package e2e
