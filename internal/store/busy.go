package store

import "runtime"

// Busy tells whether requests want more of the machine than there is: more
// connections work than the processors could serve twice over.
func (s *Store) Busy() bool { return int(s.pool.Stat().AcquiredConns()) > 2*runtime.GOMAXPROCS(0) }
