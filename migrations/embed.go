// Package migrations holds the schema of the service as numbered pairs of SQL files.
// A released file is never changed; the schema changes by a new pair.
package migrations

import "embed"

// FS holds every NNNNNN_name.{up,down}.sql.
//
//go:embed *.sql
var FS embed.FS
