package moments

// StoreTitle is what shoppers call a store, "" for one that the settings no
// longer have.
func (s *Service) StoreTitle(name string) string {
	store, err := s.store(name)
	if err != nil {
		return ""
	}
	return store.Title
}
