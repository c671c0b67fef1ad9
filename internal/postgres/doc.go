// Package postgres gives development and tests a PostgreSQL without any set-up: it finds the binaries on the
// machine or installs them, runs a private cluster on loopback, and brings a database to the current schema.
// A deployment brings its own server and uses only the migrations of this package.
//
// A cluster that Start runs belongs to every process that called Start on the same folder. Each of them holds
// one end of a pipe (its lease); when the last one has stopped or died, however it died, a few lines of shell
// on the other end shut the server down. So nothing is left running after Ctrl-C, a failed test or a SIGKILL.
package postgres
