package steps

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Poster posts messages to URLs of stores, signed by Standard Webhooks, to public
// addresses only, following nothing.
type Poster interface {
	// CheckURL and CheckSecret tell what is wrong with a configuration. Their
	// errors do not repeat it.
	CheckURL(raw string) error
	CheckSecret(secret string) error
	// Post sends a message once. Its error carries nothing of the message, of its
	// URL or of what came back.
	Post(ctx context.Context, m Message) (Reply, error)
}

// Message is what a Poster posts. ID is the same whenever the same question is
// asked again.
type Message struct {
	ID      string
	URL     string
	Secret  pipeline.Secret
	Body    []byte        // JSON
	Timeout time.Duration // of the whole exchange
}

// Reply is what came back, whatever its status. Cut tells that there was more
// than Body.
type Reply struct {
	Status int
	Body   []byte
	Cut    bool
}

const (
	httpTimeoutDefault = 5 * time.Second
	httpTimeoutMax     = 30 * time.Second
	rejectedCode       = "rejected_by_store"
)

// httpStep asks a URL of the store whether the run may go on, between two commits:
// no lock is held while the shop thinks. Asking again is harmless, the shop knows
// a repetition by its webhook-id.
type httpStep struct {
	post func(ctx context.Context, id string, body []byte) (Reply, error) // the secret stays in here
	// open lets the run go on without an answer; otherwise it fails.
	open bool
	// settable are the keys that an answer may set; one that ends with * is a prefix.
	settable []string
}

func httpMaker(poster Poster) pipeline.Maker {
	return pipeline.Maker{Name: "http", Make: func(decode func(any) error) (pipeline.Step, error) {
		c := httpConfig{Timeout: httpTimeoutDefault, OnFailure: "reject"}
		if err := decode(&c); err != nil {
			return nil, err
		}
		if err := c.check(poster); err != nil {
			return nil, err
		}
		return httpStep{
			open: c.OnFailure == "continue", settable: c.Attributes,
			post: func(ctx context.Context, id string, body []byte) (Reply, error) {
				return poster.Post(ctx, Message{ID: id, URL: c.URL, Secret: c.Secret, Body: body, Timeout: c.Timeout})
			},
		}, nil
	}}
}

// httpConfig is the `with:` of the step.
type httpConfig struct {
	URL    string          `yaml:"url"`
	Secret pipeline.Secret `yaml:"secret"`
	// Timeout bounds the whole exchange.
	Timeout time.Duration `yaml:"timeout"`
	// OnFailure is reject (the default) or continue: what happens without an answer.
	OnFailure string `yaml:"on_failure"`
	// Attributes lists the keys that the answer may set; "risk.*" is all that begins
	// with "risk.".
	Attributes []string `yaml:"attributes"`
}

func (c *httpConfig) check(poster Poster) error {
	if err := poster.CheckURL(c.URL); err != nil {
		return payment.Invalid("url", "invalid", err.Error())
	}
	if err := poster.CheckSecret(c.Secret.Reveal()); err != nil {
		return payment.Invalid("secret", "invalid", err.Error())
	}
	switch {
	case c.Timeout <= 0 || c.Timeout > httpTimeoutMax:
		return payment.Invalid("timeout", "invalid", "must be more than nothing and at most 30s")
	case c.OnFailure != "reject" && c.OnFailure != "continue":
		return payment.Invalid("on_failure", "invalid", "must be reject or continue")
	}
	for _, key := range c.Attributes {
		if prefix, all := strings.CutSuffix(key, "*"); !payment.ValidAttributeKey(prefix) && (!all || prefix != "") {
			return payment.Invalid("attributes", "invalid", "must list keys such as risk.score, or risk.* for all that begin so")
		}
	}
	return nil
}

func (httpStep) Name() string { return "http" }

// Repeatable implements pipeline.Repeatable.
func (httpStep) Repeatable() {}

// ReadsAttributes implements pipeline.AttributeReader: they are sent.
func (httpStep) ReadsAttributes() bool { return true }

// Do has nothing to announce.
func (httpStep) Do(*pipeline.Run) error { return nil }

func (s httpStep) Call(ctx context.Context, run *pipeline.Run) pipeline.Answer {
	v, err := s.ask(ctx, run)
	return pipeline.Answer{Then: func(run *pipeline.Run) error {
		if err != nil {
			return s.unanswered(run, err)
		}
		return s.obey(run, v)
	}}
}

func (s httpStep) ask(ctx context.Context, run *pipeline.Run) (verdict, error) {
	body, err := question(run)
	if err != nil {
		return verdict{}, err
	}
	reply, err := s.post(ctx, run.CallID(), body)
	if err != nil {
		return verdict{}, err
	}
	return s.verdictOf(reply)
}

// obey does what the shop said.
func (s httpStep) obey(run *pipeline.Run, v verdict) error {
	if v.Decision == decisionReject {
		message := oneLine(v.Message)
		if message == "" {
			message = "the store refuses the payment"
		}
		refusal := payment.Errorf(payment.KindInvalid, rejectedCode, "%s", message)
		if code := oneLine(v.Code); code != "" {
			refusal.Why = payment.Reason{Code: code, Message: message}
		}
		return refusal
	}
	for _, key := range v.keys() {
		if err := run.Order.SetAttribute(key, v.Attributes[key], run.At); err != nil {
			return s.unanswered(run, err)
		}
	}
	if text := oneLine(v.Note); text != "" {
		run.Order.Note(run.At, "store", text)
	}
	return nil
}

var errNoDecision = payment.Errorf(payment.KindUnavailable, "store_unavailable",
	"the store could not be asked whether to go on; nothing was sent")

// unanswered goes on without the shop, or does not. Whoever begins a payment is
// told to come again; any other run is tried again by a job, since the money that
// it is about has moved already.
func (s httpStep) unanswered(run *pipeline.Run, cause error) error {
	if s.open {
		run.Note("The store was not heard before the run went on: " + cause.Error() + ".")
		return nil
	}
	if run.Payment != nil && !run.Begun() {
		return fmt.Errorf("%w: %w", errNoDecision, cause) // the cause is for the journal
	}
	return fmt.Errorf("ask the store: %w", cause)
}
