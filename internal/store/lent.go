package store

// Lent counts the connections that requests have been lent so far: how much they
// want of the database.
func (s *Store) Lent() int64 { return s.pool.Stat().AcquireCount() }
