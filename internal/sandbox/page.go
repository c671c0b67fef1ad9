package sandbox

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's template and style
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

const formMaxBytes = 4 << 10

// page is the simulator's only one: the shopper's.
type page struct {
	template *template.Template
	policy   string
}

// newPage parses the template. The policy allows our one style sheet and
// nothing else to load; forms may go to any http(s) address because browsers
// apply form-action to every redirect that follows, up to the shop's pages.
func newPage() (*page, error) {
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("parse page: %w", err)
	}
	sum := sha256.Sum256([]byte(pageCSS))
	return &page{template: t, policy: "default-src 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action http: https:; base-uri 'none'; frame-ancestors 'none'"}, nil
}

// pageData is what the template shows.
type pageData struct {
	Style       template.CSS
	Account     string
	Description string
	Reference   string
	Amount      string
	Currency    string
	Manual      bool   // authorized now, captured later
	State       string // of the payment
	Open        bool   // the shopper can still decide
	Title, Text string // once there is nothing to decide
	BackURL     string
}

func (s *Simulator) showPage(w http.ResponseWriter, r *http.Request) error {
	p, ok := s.ledger.session(r.PathValue("session"))
	if !ok {
		return s.writePage(w, http.StatusNotFound, pageData{
			State: "missing", Title: "No such payment", Text: "This address does not belong to a payment. Go back to the shop and start again.",
		})
	}
	return s.writePage(w, http.StatusOK, pageOf(p))
}

// submitPage is a click on one of the buttons.
func (s *Simulator) submitPage(w http.ResponseWriter, r *http.Request) error {
	p, ok := s.ledger.session(r.PathValue("session"))
	if !ok {
		return s.showPage(w, r)
	}
	r.Body = http.MaxBytesReader(w, r.Body, formMaxBytes)
	d := decision(r.PostFormValue("action"))
	if d.outcome() == "" {
		return s.writePage(w, http.StatusBadRequest, pageOf(p))
	}
	decided, err := s.decide(r.Context(), p, d, false)
	var pr *problem
	if errors.As(err, &pr) { // decided otherwise, perhaps in another tab
		return s.writePage(w, http.StatusConflict, pageOf(decided))
	}
	if err != nil {
		return err
	}
	back := backURL(decided)
	if back == "" {
		return s.writePage(w, http.StatusOK, pageOf(decided))
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

// backURL is where the shop wants its shopper, "" while there is a choice.
func backURL(p *payment) string {
	switch p.first().State {
	case stateApproved, statePending:
		return p.SuccessURL
	case stateActionRequired:
		return ""
	default:
		return p.FailureURL
	}
}

func pageOf(p *payment) pageData {
	first := p.first()
	d := pageData{
		Account: p.Account, Description: p.Description, Reference: first.Reference,
		Amount: formatAmount(first.Amount, first.Currency), Currency: first.Currency,
		Manual: first.Kind == opAuthorize, State: p.state(),
		Open: first.State == stateActionRequired, BackURL: backURL(p),
	}
	switch d.State {
	case stateApproved:
		d.Title, d.Text = "Payment complete", "This payment was made. Nothing more to do here."
	case statePending:
		d.Title, d.Text = "Payment in progress", "This payment is being processed. The shop will be told how it ends."
	case stateDeclined:
		d.Title, d.Text = "Payment declined", "This payment was declined. No money was taken."
	case stateCancelled, stateVoided:
		d.Title, d.Text = "Payment cancelled", "This payment was cancelled. No money was taken."
	case stateExpired:
		d.Title, d.Text = "Payment expired", "This payment was not made in time. No money was taken."
	}
	return d
}

func (s *Simulator) writePage(w http.ResponseWriter, status int, d pageData) error {
	d.Style = template.CSS(pageCSS) //nolint:gosec // our own embedded file
	var b bytes.Buffer
	if err := s.page.template.Execute(&b, d); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	h := w.Header()
	h.Set("Content-Security-Policy", s.page.policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	return writeBytes(w, status, "text/html; charset=utf-8", b.Bytes())
}
