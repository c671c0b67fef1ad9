package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	publicURL = "https://" + publicHost
	// shopTimeout is how long a storefront waits for an answer.
	shopTimeout = 15 * time.Second
)

// shop is a storefront's server, and the browsers of its shoppers.
type shop struct {
	key       string
	client    *http.Client
	tally     *tally
	testimony *testimony
	giftCard  string // the code of one that everybody pays with
}

func newShop(key string, way http.RoundTripper, t *tally, log io.Writer) *shop {
	return &shop{key: key, tally: t, testimony: newTestimony(log), client: &http.Client{
		Transport: way, Timeout: shopTimeout,
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if r.URL.Host != publicHost { // the shop's own pages, which nobody serves
				return http.ErrUseLastResponse
			}
			return nil
		},
	}}
}

// answer is what the service said to a storefront.
type answer struct {
	status int
	body   []byte
	parsed
}

// parsed are the parts of an answer that a storefront acts upon.
type parsed struct {
	ID    string `json:"id"` // of an order that is an answer itself
	Code  string `json:"code"`
	Moved string `json:"money_moved"`
	Order struct {
		ID string `json:"id"`
	} `json:"order"`
	Payment struct {
		ID string `json:"id"`
	} `json:"payment"`
	NextAction *struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	} `json:"next_action"`
}

func (p parsed) order() string {
	if p.Order.ID != "" {
		return p.Order.ID
	}
	return p.ID
}

// post asks for something under an idempotency key and keeps what was said.
func (s *shop) post(ctx context.Context, r request) (answer, bool) {
	a, header, err := s.do(ctx, http.MethodPost, r.path, r.key, r.body)
	told := said{
		request: r, at: time.Now(), broken: err != nil, status: a.status, code: a.Code, moved: a.Moved,
		names: a.order(), hash: sha256.Sum256(a.body), replayed: header.Get("Idempotent-Replayed") == "true",
	}
	s.testimony.add(told, a.body)
	if err != nil {
		s.tally.add("broken answers")
	}
	if told.replayed {
		s.tally.add("replayed answers")
	}
	return a, err == nil
}

// do sends a request to the service, wherever it is.
func (s *shop) do(ctx context.Context, method, path, key, body string) (answer, http.Header, error) {
	s.tally.add("requests")
	req, err := http.NewRequestWithContext(ctx, method, publicURL+path, strings.NewReader(body))
	if err != nil {
		return answer{}, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, nil, err
	}
	a := answer{status: resp.StatusCode, body: text}
	_ = json.Unmarshal(text, &a.parsed) // what is not JSON says nothing
	return a, resp.Header, nil
}

// press is a button on the PSP's page. The browser follows where it leads, back
// to the service too.
func (s *shop) press(ctx context.Context, page, button string) {
	form := url.Values{"action": {button}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, page, strings.NewReader(form))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := s.client.Do(req)
	if err != nil {
		return // a browser that shows an error
	}
	_ = resp.Body.Close() // a page
}
