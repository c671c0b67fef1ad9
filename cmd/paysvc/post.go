package main

import (
	"fmt"
	"time"

	"github.com/paysvc/paysvc/internal/jobs"
	"github.com/paysvc/paysvc/internal/mail"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// post writes the mails of the stores and hands them over.
type post struct {
	jobs.Mailer
	templates *mail.Templates
	moments   *moments.Service
	close     func()
}

// newPost returns the mail server that is configured, or the folder. It connects
// with the first mail.
func newPost(c *config, m *moments.Service) (*post, error) {
	templates, err := mail.LoadTemplates(c.MailTemplates)
	if err != nil {
		return nil, fmt.Errorf("PAYSVC_MAIL_TEMPLATES: %w", err)
	}
	p := &post{Mailer: mail.Folder(c.MailFolder), templates: templates, moments: m, close: func() {}}
	if c.SMTPURL == "" {
		return p, nil
	}
	server, err := mail.ParseURL(c.SMTPURL.Reveal())
	if err != nil {
		return nil, fmt.Errorf("PAYSVC_SMTP_URL: %w", err)
	}
	smtp, err := mail.NewSMTP(server)
	if err != nil {
		return nil, fmt.Errorf("PAYSVC_SMTP_URL: %w", err)
	}
	p.Mailer, p.close = smtp, smtp.Close
	return p, nil
}

// order writes the confirmation of an order.
func (p *post) order(o *payment.Order, key string, at time.Time) (mail.Message, error) {
	return p.templates.Order(o, p.moments.StoreTitle(o.Store), p.moments.MailFrom(o.Store), key, at)
}
