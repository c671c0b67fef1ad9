package sandbox_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/paysvc/paysvc/internal/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	shopKey    = "sbx-key-shop"
	shopSecret = "sbx-secret-shop"
	otherKey   = "sbx-key-other"
)

// The types below repeat the wire format on purpose: a renamed field fails here.
type object struct {
	ID            string    `json:"id"`
	Reference     string    `json:"reference"`
	Account       string    `json:"account"`
	Mode          string    `json:"mode"`
	Amount        string    `json:"amount"`
	Currency      string    `json:"currency"`
	Operation     string    `json:"operation"`
	State         string    `json:"state"`
	Authorized    string    `json:"authorized"`
	Captured      string    `json:"captured"`
	Refunded      string    `json:"refunded"`
	Voided        string    `json:"voided"`
	ChargedBack   string    `json:"charged_back"`
	Reason        *why      `json:"reason"`
	RedirectURL   string    `json:"redirect_url"`
	CaptureBefore time.Time `json:"capture_before"`
	Version       int64     `json:"version"`
	Operations    []op      `json:"operations"`
}

type op struct {
	ID        string    `json:"id"`
	Operation string    `json:"operation"`
	Reference string    `json:"reference"`
	Amount    string    `json:"amount"`
	Currency  string    `json:"currency"`
	State     string    `json:"state"`
	Reason    *why      `json:"reason"`
	Parent    string    `json:"parent"`
	At        time.Time `json:"at"`
}

type why struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Decline string `json:"decline"`
}

type operated struct {
	Operation op     `json:"operation"`
	Payment   object `json:"payment"`
}

type line struct {
	Operation string    `json:"operation"`
	Reference string    `json:"reference"`
	Amount    string    `json:"amount"`
	Currency  string    `json:"currency"`
	State     string    `json:"state"`
	At        time.Time `json:"at"`
}

type message struct {
	ID        string    `json:"id"`
	Event     string    `json:"event"`
	Created   time.Time `json:"created"`
	Version   int64     `json:"version"`
	Payment   object    `json:"payment"`
	Operation op        `json:"operation"`
}

type refusal struct {
	Error struct {
		Code      string `json:"code"`
		MaxAmount string `json:"max_amount"`
	} `json:"error"`
	Payment *object `json:"payment"`
}

type sent struct {
	EventID    string `json:"event_id"`
	Deliveries []struct {
		Status int    `json:"status"`
		Error  string `json:"error"`
	} `json:"deliveries"`
}

// received is one notification as the shop got it.
type received struct {
	Path      string
	Signature string
	Type      string
	Body      []byte
	message
}

// authentic verifies the signature as the package documentation tells it.
func (r received) authentic(secret string) bool {
	stamp, mac, _ := strings.Cut(r.Signature, ",v1=")
	stamp, found := strings.CutPrefix(stamp, "t=")
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(stamp + "."))
	h.Write(r.Body)
	return found && mac == hex.EncodeToString(h.Sum(nil))
}

func (r received) signedAt(t *testing.T) time.Time {
	t.Helper()
	stamp, _, _ := strings.Cut(strings.TrimPrefix(r.Signature, "t="), ",")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	require.NoError(t, err)
	return time.Unix(seconds, 0)
}

// shop receives notifications and answers them with the statuses it was
// given, then with 200.
type shop struct {
	mu       sync.Mutex
	statuses []int
	got      []received
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	rec := received{Path: r.URL.Path, Signature: r.Header.Get("Sandbox-Signature"), Type: r.Header.Get("Content-Type"), Body: body}
	_ = json.Unmarshal(body, &rec.message)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, rec)
	status := http.StatusOK
	if len(s.statuses) > 0 {
		status, s.statuses = s.statuses[0], s.statuses[1:]
	}
	w.WriteHeader(status)
}

func (s *shop) answers(statuses ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statuses = statuses
}

func (s *shop) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.got...)
}

func (s *shop) events() []string {
	events := []string{}
	for _, r := range s.received() {
		events = append(events, r.Event)
	}
	return events
}

// psp is a simulator with a shop that it notifies, both without sockets.
type psp struct {
	sim    *sandbox.Simulator
	client *http.Client
	shop   *shop
}

func config(s http.Handler) sandbox.Config {
	return sandbox.Config{
		PublicURL: "http://psp.test",
		Accounts: []sandbox.Account{
			{ID: "shop", APIKey: shopKey, WebhookSecret: shopSecret, NotifyURL: "http://shop.test/confirm"},
			{ID: "other", APIKey: otherKey, WebhookSecret: "sbx-secret-other", Live: true},
		},
		Now: time.Now, Rand: rand.Reader,
		HTTP: &http.Client{Transport: sandbox.Transport(s)},
	}
}

func newPSP(t *testing.T, edits ...func(*sandbox.Config)) *psp {
	t.Helper()
	s := &shop{}
	c := config(s)
	for _, edit := range edits {
		edit(&c)
	}
	sim, err := sandbox.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	return &psp{sim: sim, shop: s, client: &http.Client{
		Transport:     sandbox.Transport(sim.Handler()),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// do sends a request as the merchant; body is JSON text, or "" for a GET.
func (p *psp) do(t *testing.T, path, body string) (int, []byte) {
	t.Helper()
	status, answer, err := p.as(t, shopKey, path, body)
	require.NoError(t, err)
	return status, answer
}

func (p *psp) as(t *testing.T, key, path, body string) (int, []byte, error) {
	t.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://psp.test/sandbox"+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, answer, nil
}

// payBody is a pay request of 129.95 EUR; extra fields come with a leading comma.
func payBody(reference, extra string) string {
	return fmt.Sprintf(`{"reference":%q,"amount":"129.95","currency":"EUR","capture":true,"flow":"direct"%s}`, reference, extra)
}

const redirect = `,"flow":"redirect","description":"Order 10001","success_url":"https://shop.test/thanks","failure_url":"https://shop.test/oops"}`

func redirectBody(reference, scenario string) string {
	return fmt.Sprintf(`{"reference":%q,"amount":"129.95","currency":"EUR","scenario":%q`+redirect, reference, scenario)
}

func (p *psp) pay(t *testing.T, reference, extra string) object {
	t.Helper()
	return ok[object](t, p, "/v1/payments", payBody(reference, extra))
}

func (p *psp) inquire(t *testing.T, reference string) object {
	t.Helper()
	return ok[object](t, p, "/v1/payments/"+reference, "")
}

func (p *psp) ledger(t *testing.T, reference string) []line {
	t.Helper()
	return ok[[]line](t, p, "/operations?reference="+reference, "")
}

// ok sends a request that must succeed and reads its answer strictly.
func ok[T any](t *testing.T, p *psp, path, body string) T {
	t.Helper()
	status, answer := p.do(t, path, body)
	require.Equal(t, http.StatusOK, status, "%s: %s", path, answer)
	return read[T](t, answer)
}

func read[T any](t *testing.T, body []byte) (v T) {
	t.Helper()
	require.NoError(t, json.NewDecoder(bytes.NewReader(body)).Decode(&v), "%s", body)
	return v
}

// refused sends a request that must be refused and gives why.
func refused(t *testing.T, p *psp, status int, path, body string) refusal {
	t.Helper()
	got, answer := p.do(t, path, body)
	require.Equal(t, status, got, "%s", answer)
	return read[refusal](t, answer)
}
