package mail

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// renderBytesMax bounds a mail: servers take 10 MiB and more, readers less.
const renderBytesMax = 4 << 20

var (
	errTooLong   = errors.New("the mail is too long")
	errNoSubject = errors.New("the subject is empty")
)

// brokenTemplate names the file and not the cause, which may hold what a
// customer typed.
type brokenTemplate struct {
	file  string
	cause error
}

func (b *brokenTemplate) Error() string { return fmt.Sprintf("mail template %s failed", b.file) }

// Unwrap returns the cause.
func (b *brokenTemplate) Unwrap() error { return b.cause }

// template is one of text or of HTML.
type template interface {
	Name() string
	Execute(w io.Writer, data any) error
}

// render writes the parts of a mail.
func (s *set) render(c Confirmation) (subject, text, html string, err error) {
	if subject, err = execute(s.subject, c); err != nil {
		return "", "", "", err
	}
	if subject = line(subject); subject == "" {
		return "", "", "", &brokenTemplate{file: s.subject.Name(), cause: errNoSubject}
	}
	if text, err = execute(s.text, c); err != nil {
		return "", "", "", err
	}
	html, err = execute(s.html, c)
	return subject, text, html, err
}

func execute(t template, c Confirmation) (string, error) {
	var b bounded
	if err := t.Execute(&b, c); err != nil {
		return "", &brokenTemplate{file: t.Name(), cause: err}
	}
	return b.String(), nil
}

// bounded is a builder that refuses to grow for ever.
type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > renderBytesMax {
		return 0, errTooLong
	}
	return b.Builder.Write(p)
}
