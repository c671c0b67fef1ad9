package mail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Folder writes each mail to a file of a folder, ID.eml: for development, and
// where no server is set.
type Folder string

// Send writes the mail; a mail whose file is there is not written again. A file
// appears whole or not at all.
func (f Folder) Send(_ context.Context, m Message) error {
	e, err := m.envelope()
	if err != nil {
		return fmt.Errorf("mail %q: %w", m.ID, err)
	}
	name := filepath.Join(string(f), m.ID+".eml")
	if _, err := os.Stat(name); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("mail %s: %w", m.ID, err)
	}
	if err := f.write(name, e.raw); err != nil {
		return fmt.Errorf("mail %s: %w", m.ID, err)
	}
	return nil
}

func (f Folder) write(name string, raw []byte) error {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	part, err := os.CreateTemp(string(f), "*.part") // with mode 0600: it is personal data
	if err != nil {
		return err
	}
	_, err = part.Write(raw)
	if err == nil {
		err = part.Sync()
	}
	err = errors.Join(err, part.Close())
	if err == nil {
		err = os.Rename(part.Name(), name)
	}
	if err != nil {
		_ = os.Remove(part.Name()) // the first error is the one to tell
	}
	return err
}
