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

// MailFrom is the sender of a store's mails, "" where it has none.
func (s *Service) MailFrom(name string) string {
	store, err := s.store(name)
	if err != nil {
		return ""
	}
	return store.MailFrom
}
