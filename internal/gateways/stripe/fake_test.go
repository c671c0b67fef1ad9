package stripe_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// fake is a Stripe that remembers: sessions, intents, charges, refunds and
// disputes, with the events that they cause. It shares no code with the gateway.
type fake struct {
	mu       sync.Mutex
	now      func() time.Time
	made     int
	sessions map[string]object
	intents  map[string]object
	charges  map[string]object
	disputes []object
	indexed  map[string]bool // intents that the search has heard of
	keys     map[string]kept // by idempotency key
	refunds  map[string]object
	events   [][]byte
	log      []object // all events
	cause    string   // the idempotency key of the request under way
	requests []string // "POST /v1/payment_intents"
	forms    []string // "amount=100", of all requests
	// checked sees every object before it leaves.
	checked func(object map[string]any)
	// lost are requests whose answers never arrive, by "METHOD path".
	lost map[string]bool
	// declines is a bank that reserves no more; refunding is the status of refunds
	// that are made, "" for succeeded.
	declines  bool
	refunding string
	// noSearch is a Stripe of a country without the search.
	noSearch bool
}

type object = map[string]any

type kept struct {
	form   string
	status int
	body   []byte
}

func newFake(now func() time.Time) *fake {
	return &fake{
		now: now, sessions: map[string]object{}, intents: map[string]object{}, charges: map[string]object{},
		refunds: map[string]object{}, indexed: map[string]bool{}, keys: map[string]kept{}, lost: map[string]bool{}, checked: func(map[string]any) {},
	}
}

// RoundTrip implements http.RoundTripper.
func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if f.lost[r.Method+" "+r.URL.Path] {
		return nil, io.ErrUnexpectedEOF
	}
	return w.Result(), nil
}

// ServeHTTP implements http.Handler.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r.Method+" "+r.URL.Path)
	body, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(body))
	if err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer sk_test_") {
		write(w, http.StatusUnauthorized, refusal("invalid_request_error", "", "Invalid API Key provided."))
		return
	}
	for name, values := range form {
		f.forms = append(f.forms, name+"="+values[0])
	}
	key := r.Header.Get("Idempotency-Key")
	if before, repeated := f.keys[key]; repeated && r.Method == http.MethodPost {
		if before.form != string(body) {
			write(w, http.StatusBadRequest, refusal("idempotency_error", "", "Keys for idempotent requests can only be used with the same parameters."))
			return
		}
		w.WriteHeader(before.status)
		_, _ = w.Write(before.body)
		return
	}
	if r.Method == http.MethodPost {
		f.cause = key
	}
	status, answer := f.serve(r, form)
	f.cause = ""
	if r.Method == http.MethodPost {
		f.keys[key] = kept{form: string(body), status: status, body: encode(answer)}
	}
	write(w, status, answer)
}

func (f *fake) serve(r *http.Request, form url.Values) (int, object) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	query := r.URL.Query()
	switch kind, rest := parts[0], parts[1:]; {
	case kind == "checkout" && len(rest) == 1 && r.Method == http.MethodPost:
		return http.StatusOK, f.show(f.createSession(form), form)
	case kind == "checkout" && len(rest) == 1:
		return http.StatusOK, f.list(f.sessions, query)
	case kind == "checkout" && len(rest) == 3:
		return f.expireSession(rest[1])
	case kind == "checkout":
		return f.retrieve(f.sessions, rest[1], query)
	case kind == "payment_intents" && len(rest) == 0 && r.Method == http.MethodPost:
		return http.StatusOK, f.show(f.createIntent(form, "", 0), form)
	case kind == "payment_intents" && len(rest) == 0:
		return http.StatusOK, f.list(f.intents, query)
	case kind == "payment_intents" && rest[0] == "search":
		return f.search(query.Get("query"))
	case kind == "payment_intents" && len(rest) == 2:
		return f.operate(rest[0], rest[1], form)
	case kind == "payment_intents":
		return f.retrieve(f.intents, rest[0], query)
	case kind == "refunds" && r.Method == http.MethodPost:
		return f.createRefund(form)
	case kind == "refunds" && len(rest) == 0:
		return http.StatusOK, f.list(f.refunds, query)
	case kind == "refunds":
		return f.retrieve(f.refunds, rest[0], query)
	case kind == "events":
		return http.StatusOK, f.listEvents(query)
	case kind == "disputes":
		return http.StatusOK, f.listDisputes(query.Get("payment_intent"))
	}
	return http.StatusNotFound, refusal("invalid_request_error", "", "Unrecognized request URL.")
}

func refusal(typ, code, message string) object {
	e := object{"type": typ, "message": message}
	if code != "" {
		e["code"] = code
	}
	return object{"error": e}
}

func (f *fake) id(prefix string) string {
	f.made++
	return fmt.Sprintf("%s_test%08d", prefix, f.made)
}

func metadataOf(form url.Values, prefix string) object {
	meta := object{}
	for name, values := range form {
		if key, ok := strings.CutPrefix(name, prefix+"["); ok {
			meta[strings.TrimSuffix(key, "]")] = values[0]
		}
	}
	return meta
}

func (f *fake) createSession(form url.Values) object {
	const line = "line_items[0][price_data]"
	amount, _ := strconv.ParseInt(form.Get(line+"[unit_amount]"), 10, 64)
	id := f.id("cs")
	s := object{
		"id": id, "object": "checkout.session", "created": f.now().Unix(), "livemode": false, "mode": form.Get("mode"),
		"client_reference_id": form.Get("client_reference_id"), "metadata": metadataOf(form, "metadata"),
		"amount_total": amount, "currency": form.Get(line + "[currency]"), "status": "open", "payment_status": "unpaid",
		"url": "https://checkout.stripe.com/c/pay/" + id, "payment_intent": nil, "expires_at": f.now().Add(24 * time.Hour).Unix(),
		"success_url": form.Get("success_url"), "cancel_url": form.Get("cancel_url"),
		"automatic_tax": object{"enabled": false, "liability": nil, "provider": nil, "status": nil}, "custom_fields": []any{},
		"custom_text": object{
			"after_submit": nil, "shipping_address": nil, "submit": nil, "terms_of_service_acceptance": nil,
		}, "payment_method_types": []string{"card"}, "shipping_options": []any{},
	}
	f.sessions[id] = s
	f.keys["session "+id] = kept{form: form.Encode()} // what its intent is made of
	return s
}

func (f *fake) createIntent(form url.Values, prefix string, amount int64) object {
	at := func(name string) string {
		if prefix == "" {
			return form.Get(name)
		}
		return form.Get(prefix + "[" + name + "]")
	}
	meta := "metadata"
	if prefix != "" {
		meta = prefix + "[metadata]"
	}
	if prefix == "" {
		amount, _ = strconv.ParseInt(form.Get("amount"), 10, 64)
	}
	id := f.id("pi")
	p := object{
		"id": id, "object": "payment_intent", "created": f.now().Unix(), "livemode": false, "amount": amount,
		"amount_capturable": int64(0), "amount_received": int64(0), "currency": form.Get("currency"), "capture_method": at("capture_method"),
		"status": "requires_payment_method", "metadata": metadataOf(form, meta), "client_secret": id + "_secret_1",
		"latest_charge": nil, "last_payment_error": nil, "cancellation_reason": nil, "canceled_at": nil,
		"confirmation_method": "automatic", "payment_method_types": []string{"card"},
	}
	f.intents[id] = p
	return p
}

func (f *fake) retrieve(from map[string]object, id string, query url.Values) (int, object) {
	o, ok := from[id]
	if !ok {
		return http.StatusNotFound, refusal("invalid_request_error", "resource_missing", "No such object.")
	}
	return http.StatusOK, f.show(o, query)
}

// show expands what the query wants expanded.
func (f *fake) show(o object, query url.Values) object {
	shown := object{}
	for k, v := range o {
		shown[k] = v
	}
	for name, values := range query {
		if !strings.HasPrefix(name, "expand[") {
			continue
		}
		if id, ok := shown["payment_intent"].(string); ok && strings.HasPrefix(values[0], "payment_intent") {
			shown["payment_intent"] = f.expanded(f.intents[id])
		}
		if strings.HasPrefix(values[0], "latest_charge") {
			shown = f.expanded(shown)
		}
	}
	f.checked(shown)
	return shown
}

func (f *fake) expanded(intent object) object {
	p := object{}
	for k, v := range intent {
		p[k] = v
	}
	if id, ok := p["latest_charge"].(string); ok {
		p["latest_charge"] = f.charges[id]
	}
	return p
}

// list pages through what was created in a range, the newest first.
func (f *fake) list(from map[string]object, query url.Values) object {
	limit, _ := strconv.Atoi(query.Get("limit"))
	least, _ := strconv.ParseInt(query.Get("created[gte]"), 10, 64)
	most, err := strconv.ParseInt(query.Get("created[lte]"), 10, 64)
	if err != nil {
		most = 1 << 60
	}
	if below, err := strconv.ParseInt(query.Get("created[lt]"), 10, 64); err == nil {
		most = below - 1
	}
	var matching []object
	for _, o := range from {
		created := o["created"].(int64)
		intent := query.Get("payment_intent")
		if created >= least && created <= most && (intent == "" || o["payment_intent"] == intent) {
			matching = append(matching, o)
		}
	}
	slices.SortFunc(matching, func(a, b object) int { return strings.Compare(serial(b), serial(a)) })
	if after := query.Get("starting_after"); after != "" {
		i := slices.IndexFunc(matching, func(o object) bool { return o["id"] == after })
		matching = matching[i+1:]
	}
	page := matching[:min(limit, len(matching))]
	for _, o := range page {
		f.checked(o)
	}
	return object{"object": "list", "data": append([]object{}, page...), "has_more": len(matching) > len(page), "url": "/v1/list"}
}

// serial is the part of an id that grows.
func serial(o object) string { return o["id"].(string)[len(o["id"].(string))-8:] }

func (f *fake) search(query string) (int, object) {
	if f.noSearch {
		return http.StatusBadRequest, refusal("invalid_request_error", "", "The search is not available in your country.")
	}
	found := []object{}
	for id, p := range f.intents {
		reference, _ := p["metadata"].(object)["reference"].(string)
		if f.indexed[id] && query == "metadata['reference']:'"+reference+"'" {
			found = append(found, p)
		}
	}
	return http.StatusOK, object{"object": "search_result", "data": found, "has_more": false, "url": searchPath}
}

func (f *fake) listDisputes(intent string) object {
	found := []object{}
	for _, d := range f.disputes {
		if d["payment_intent"] == intent {
			f.checked(d)
			found = append(found, d)
		}
	}
	return object{"object": "list", "data": found, "has_more": false, "url": "/v1/disputes"}
}

func (f *fake) expireSession(id string) (int, object) {
	s, ok := f.sessions[id]
	switch {
	case !ok:
		return http.StatusNotFound, refusal("invalid_request_error", "resource_missing", "No such checkout session.")
	case s["status"] != "open":
		return http.StatusBadRequest, refusal("invalid_request_error", "", "Only Checkout Sessions with a status in [\"open\"] can be expired.")
	}
	s["status"], s["url"] = "expired", nil
	f.emit("checkout.session.expired", s)
	f.checked(s)
	return http.StatusOK, s
}

func (f *fake) emit(typ string, o object) {
	f.checked(o)
	var cause any
	if f.cause != "" {
		cause = f.cause
	}
	e := object{
		"id": f.id("evt"), "object": "event", "api_version": "2019-12-03", "created": f.now().Unix(), "livemode": false,
		"pending_webhooks": 1, "request": object{"id": nil, "idempotency_key": cause}, "type": typ, "data": object{"object": copied(o)},
	}
	f.events, f.log = append(f.events, encode(e)), append(f.log, e)
}

// copied keeps an object as it is now.
func copied(o object) (kept object) {
	if err := json.Unmarshal(encode(o), &kept); err != nil {
		panic(err) // an object of the tests' own
	}
	return kept
}
