package jobs

import (
	"cmp"
	"context"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// Mail is a message to a customer.
type Mail struct {
	// ID is the same whenever the same mail is sent again.
	ID      string
	From    string // an address, perhaps with a name; "" where the store gave none
	To      string
	Subject string
	Text    string
	At      time.Time
}

// Mailer hands mails over. Sending a mail of one ID again must be harmless.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// Folder is a Mailer that writes each mail to a file of a folder, for
// development.
type Folder string

// Send writes the mail as a file named by its ID; the same mail is written once.
func (f Folder) Send(_ context.Context, m Mail) error {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return fmt.Errorf("mail folder: %w", err)
	}
	name := filepath.Join(string(f), m.ID+".eml")
	text := "From: " + header(m.From) + "\nTo: " + header(m.To) + "\nSubject: " + header(m.Subject) +
		"\nDate: " + m.At.Format(time.RFC1123Z) + "\nMessage-ID: <" + m.ID + "@paysvc>" +
		"\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n" + m.Text
	if err := os.WriteFile(name+".part", []byte(text), 0o600); err != nil {
		return fmt.Errorf("write a mail: %w", err)
	}
	return os.Rename(name+".part", name)
}

// header makes a value fit for one line of a mail's head.
func header(value string) string {
	return mime.QEncoding.Encode("utf-8", strings.NewReplacer("\r", " ", "\n", " ").Replace(value))
}

// orderMail is the confirmation of an order.
func orderMail(o *payment.Order, key, from string, at time.Time) Mail {
	var text strings.Builder
	fmt.Fprintf(&text, "Dear %s,\n\nthank you for your order %s.\n\n", cmp.Or(o.Customer.Name, "customer"), o.Number)
	for _, l := range o.Lines {
		fmt.Fprintf(&text, "  %d x %s  %s %s\n", l.Quantity, cmp.Or(l.Name, l.SKU), l.Total, o.Currency)
	}
	fmt.Fprintf(&text, "\nTotal: %s %s\n", o.Total, o.Currency)
	if p := o.LatestPayment(); p != nil && p.NextAction != nil && p.NextAction.Kind == "instructions" {
		fmt.Fprintf(&text, "\n%s\n", p.NextAction.Content)
	}
	return Mail{
		ID: o.ID.String() + "-" + key, From: from, To: o.Customer.Email, Subject: "Your order " + o.Number,
		Text: text.String(), At: at,
	}
}
