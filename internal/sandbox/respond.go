package sandbox

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	bodyMaxBytes      = 64 << 10
	referenceMaxBytes = 64
)

// problem is an error that the caller of the API is told.
type problem struct {
	status    int
	code      string
	message   string
	maxAmount string
	payment   *payment // shown with the problem, if not nil
}

func (p *problem) Error() string { return p.code + ": " + p.message }

func refuse(status int, code, message string) *problem {
	return &problem{status: status, code: code, message: message}
}

func invalid(field, message string) *problem {
	return refuse(http.StatusUnprocessableEntity, "invalid_"+field, message)
}

func notFound() *problem {
	return refuse(http.StatusNotFound, "not_found", "No payment has this reference.")
}

type errorBody struct {
	Error   errorView    `json:"error"`
	Payment *paymentView `json:"payment,omitempty"`
}

type errorView struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	MaxAmount string `json:"max_amount,omitempty"`
}

// respond turns a handler's error into an answer, in one place.
func (s *Simulator) respond(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r)
		if err == nil {
			return
		}
		var p *problem
		switch {
		case errors.As(err, &p):
		case errors.Is(err, errClosed):
			p = refuse(http.StatusServiceUnavailable, "closed", "The simulator is shutting down.")
		default:
			s.log.Error().Err(err).Str("path", r.URL.Path).Msg("sandbox: request failed")
			p = refuse(http.StatusInternalServerError, "internal_error", "Something went wrong.")
		}
		body := errorBody{Error: errorView{Code: p.code, Message: p.message, MaxAmount: p.maxAmount}}
		if p.payment != nil {
			v := s.view(p.payment)
			body.Payment = &v
		}
		if err := writeJSON(w, p.status, body); err != nil {
			s.log.Error().Err(err).Msg("sandbox: write answer")
		}
	}
}

// merchant lets in who has the key of an account.
func (s *Simulator) merchant(handle func(http.ResponseWriter, *http.Request, Account) error) http.HandlerFunc {
	return s.respond(func(w http.ResponseWriter, r *http.Request) error {
		a, ok := s.authenticate(r.Header.Get("Authorization"))
		if !ok {
			w.Header().Set("WWW-Authenticate", "Bearer")
			return refuse(http.StatusUnauthorized, "unauthorized", "The API key is missing or unknown.")
		}
		return handle(w, r, a)
	})
}

// authenticate compares with every key, in the same time whichever matches.
func (s *Simulator) authenticate(header string) (found Account, ok bool) {
	key, isBearer := strings.CutPrefix(header, "Bearer ")
	given := sha256.Sum256([]byte(key))
	for _, a := range s.accounts {
		own := sha256.Sum256([]byte(a.APIKey))
		if subtle.ConstantTimeCompare(given[:], own[:]) == 1 {
			found, ok = a, isBearer
		}
	}
	return found, ok
}

// decode reads a JSON body: bounded, exact field names, nothing unknown,
// nothing twice, nothing behind it.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, bodyMaxBytes), into, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return refuse(http.StatusRequestEntityTooLarge, "body_too_large", fmt.Sprintf("The body may have %d bytes.", bodyMaxBytes))
	}
	return refuse(http.StatusBadRequest, "invalid_json", "The body is not the JSON object that this request takes.")
}

func writeJSON(w http.ResponseWriter, status int, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return writeBytes(w, status, "application/json", b)
}

// writeBytes ignores that the client may be gone: nothing depends on it.
func writeBytes(w http.ResponseWriter, status int, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return nil
}

// answerAs answers in the manner of a scenario. full is the whole truth and
// bare what is left of it without echo.
func (s *Simulator) answerAs(w http.ResponseWriter, r *http.Request, how answer, full, bare any) error {
	switch how {
	case answerNever:
		s.hold(r.Context(), s.delays.Silence)
		panic(http.ErrAbortHandler) // cuts the connection without a byte
	case answerError:
		return refuse(http.StatusInternalServerError, "internal_error", "Something went wrong.")
	case answerHTML:
		return writeBytes(w, http.StatusBadGateway, "text/html", []byte("<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"))
	case answerGarbage:
		return writeBytes(w, http.StatusOK, "application/json", []byte("{\"id\": \"sbx_\xff\x00\x1f<<< not JSON"))
	case answerBare:
		return writeJSON(w, http.StatusOK, bare)
	case answerSlowly:
		s.hold(r.Context(), s.delays.Slow)
	case answerPlainly, answerDone: // what was done before was refused already
	}
	return writeJSON(w, http.StatusOK, full)
}

// hold keeps a client waiting until it leaves, the time is over or the
// simulator closes.
func (s *Simulator) hold(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-s.background.ctx.Done():
	}
}

func validReference(s string) bool {
	if s == "" || len(s) > referenceMaxBytes {
		return false
	}
	for _, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("._:-", rune(c)) {
			return false
		}
	}
	return true
}
