package moments

import (
	"maps"

	"github.com/paysvc/paysvc/internal/settings"
)

// Reload puts other settings in force, all at once. Settings whose pipelines do
// not compile change nothing. Runs that are under way go on with the pipelines
// that they began with.
func (s *Service) Reload(all *settings.Settings) error {
	compiled, err := s.compile(all)
	if err != nil {
		return err
	}
	before := s.shops.Load()
	versions := maps.Clone(before.versions)
	maps.Copy(versions, compiled.versions)
	compiled.versions = versions
	s.shops.Store(compiled)
	return nil
}

// MailFrom is the sender of a store's mails, "" where it has none.
func (s *Service) MailFrom(name string) string {
	store, err := s.store(name)
	if err != nil {
		return ""
	}
	return store.MailFrom
}
