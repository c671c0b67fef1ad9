package simulation

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/paysvc/paysvc/internal/payment"
)

type (
	// bookEndpoint is an endpoint as it was from a transaction on.
	bookEndpoint struct {
		Xact       int64
		Store, ID  string
		URL        string
		Types      []string
		Active     bool
		Since, Was int64
		// Until is where what was on its way as it was turned off ends, and UntilWas
		// where that ended before: 0 for nowhere.
		Until, UntilWas int64
	}
	bookTold struct {
		ID, Store, Type string
		Sequence        int64
		Body            []byte
	}
	bookDelivery struct{ Endpoint, Event, State string }
)

// hooks are what the checker knows of endpoints.
type hooks struct {
	turns  map[string][]bookEndpoint // by id: all that became of it
	events map[string]bookTold
	states map[[2]string]string // of deliveries, by endpoint and event
	posts  map[[2]string][]post // the same
}

// shift is how many bits of a sequence are behind its transaction.
const shift = 12

func (h *history) readHooks() *hooks {
	k := &hooks{
		turns: map[string][]bookEndpoint{}, events: map[string]bookTold{}, states: map[[2]string]string{}, posts: map[[2]string][]post{},
	}
	byURL := map[string]string{}
	for _, e := range rowsOf[bookEndpoint](h, `select xact, store, id::text, url, types, active, since, was,
			coalesce(until, 0), coalesce(until_was, 0) from endpoint_log order by n`) {
		k.turns[e.ID] = append(k.turns[e.ID], e)
		byURL[e.URL] = e.ID
	}
	for _, e := range rowsOf[bookTold](h, `select body->>'id', store, type, sequence, body from events`) {
		k.events[e.ID] = e
	}
	for _, d := range rowsOf[bookDelivery](h, `select d.endpoint::text, e.body->>'id', d.state from webhook_deliveries d
			join events e on e.order_id = d.order_id and e.n = d.n`) {
		k.states[[2]string{d.Endpoint, d.Event}] = d.State
	}
	for _, p := range h.posts {
		at := [2]string{byURL[p.url], p.id}
		k.posts[at] = append(k.posts[at], p)
	}
	return k
}

// checkDeliveries: what was told while an endpoint was active, and it wanted, it has
// (E1), and nothing is left over (E2); it has nothing else (E3), and what it has is
// what we have in our books, and says who sent it (E4); where nothing went wrong it has
// it once (E5). No cursor goes back (E6).
func (h *history) checkDeliveries(b *books) {
	if len(h.endpoints) == 0 {
		return
	}
	k := h.readHooks()
	for at, posts := range k.posts {
		if len(k.turns[at[0]]) == 0 {
			h.violate("E3", "%s was posted to %s, which is nobody's", at[1], posts[0].url)
			continue
		}
		h.checkPosts(k, k.turns[at[0]], at[1], posts)
	}
	for id, turns := range k.turns {
		for _, t := range turns {
			if t.Since < t.Was {
				h.violate("E6", "the cursor of %s goes back", id)
			}
		}
		for _, e := range k.events {
			h.checkTold(k, turns, e)
		}
	}
}

// checkPosts: what was posted of an event to an endpoint is right.
func (h *history) checkPosts(k *hooks, turns []bookEndpoint, id string, posts []post) {
	e, ok := k.events[id]
	if last := turns[len(turns)-1]; !ok || e.Store != last.Store {
		h.violate("E3", "%s was posted to an endpoint of %s, which has no such event", id, last.Store)
		return
	}
	told := inForce(turns, e)
	if len(told) == 0 || !told[0].Active && !slices.ContainsFunc(told, e.comesAlong) || !slices.ContainsFunc(told, e.wantedBy) {
		h.violate("E3", "%s (%s) was posted to %s, which must not have it", id, e.Type, posts[0].url)
	}
	took, unsure := 0, h.unsure[[2]string{endpointID(turns[0].ID).String(), id}] > 0
	for _, p := range posts {
		unsure = unsure || p.lost
		if p.took {
			took++
		}
		if !sameEvent(p.body, e) {
			h.violate("E4", "%s was posted as %s, and is %s", id, p.body, e.Body)
		}
		if !h.signedRight(p, turns[0].ID) {
			h.violate("E4", "%s was posted with a signature that is none", id)
		}
	}
	if took > 1 && !unsure {
		h.violate("E5", "%s (%s) came to %s %d times", id, e.Type, posts[0].url, took)
	}
}

// checkTold: an endpoint has an event that was told while it was active, and that it
// always wanted.
func (h *history) checkTold(k *hooks, turns []bookEndpoint, e bookTold) {
	last, told, at := turns[len(turns)-1], inForce(turns, e), [2]string{turns[0].ID, e.ID}
	if e.Store != last.Store || !last.Active {
		return
	}
	if k.states[at] == "pending" {
		h.violate("E2", "%s is still on its way to %s", e.ID, last.URL)
	}
	if len(told) == 0 || !told[0].Active || !all(told, e.wantedBy) || k.states[at] == "parked" {
		return
	}
	if !slices.ContainsFunc(k.posts[at], func(p post) bool { return p.took }) {
		h.violate("E1", "%s (%s) never came to %s", e.ID, e.Type, last.URL)
	}
}

// inForce is how an endpoint was as an event was told, and ever after.
func inForce(turns []bookEndpoint, e bookTold) []bookEndpoint {
	from := -1
	for i, t := range turns {
		if t.Xact <= e.Sequence>>shift {
			from = i
		}
	}
	if from < 0 {
		return nil
	}
	return turns[from:]
}

// comesAlong tells of an event that was told while an endpoint was off that it goes
// there nevertheless: the endpoint was turned off again before it had all of what was
// on its way the first time, and from there to here nothing is left out.
func (e bookTold) comesAlong(t bookEndpoint) bool {
	return !t.Active && t.UntilWas > 0 && t.Until > t.UntilWas && t.Since < e.Sequence && e.Sequence > t.UntilWas && e.Sequence <= t.Until
}

func (e bookTold) wantedBy(t bookEndpoint) bool {
	word, _, _ := strings.Cut(e.Type, ".")
	return len(t.Types) == 0 || slices.Contains(t.Types, e.Type) || slices.Contains(t.Types, word+".*")
}

func all[T any](list []T, is func(T) bool) bool {
	return !slices.ContainsFunc(list, func(one T) bool { return !is(one) })
}

func endpointID(id string) payment.EndpointID {
	var known [16]byte
	text := strings.ReplaceAll(id, "-", "")
	for i := range known {
		known[i] = digit(text[2*i])<<4 | digit(text[2*i+1])
	}
	return known
}

func digit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// sameEvent tells whether a message is the event of the books.
func sameEvent(posted []byte, e bookTold) bool {
	var sent, kept map[string]any
	if json.Unmarshal(posted, &sent) != nil || json.Unmarshal(e.Body, &kept) != nil {
		return false
	}
	var number struct{ Sequence int64 }
	if json.Unmarshal(posted, &number) != nil || number.Sequence != e.Sequence || !sameTime(sent["created_at"], kept["created_at"]) {
		return false
	}
	for _, field := range []string{"id", "type", "order_sequence", "order_id", "number", "data"} {
		if !reflect.DeepEqual(sent[field], kept[field]) {
			return false
		}
	}
	return true
}

func sameTime(sent, kept any) bool {
	parsed := func(v any) time.Time {
		text, _ := v.(string)
		at, _ := time.Parse(time.RFC3339Nano, text)
		return at.Truncate(time.Microsecond)
	}
	return parsed(sent).Equal(parsed(kept))
}

// signedRight tells whether a message was signed with a secret that the store has, or
// had.
func (h *history) signedRight(p post, id string) bool {
	for version := 1; version <= 6; version++ {
		secret, err := h.secrets.Of(endpointID(id).String(), version)
		if err != nil {
			return false
		}
		hook, err := standardwebhooks.NewWebhook(secret)
		if err == nil && hook.VerifyIgnoringTimestamp(p.body, p.signed) == nil {
			return true
		}
	}
	return false
}
