package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNotesAreLeftForPeople(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	id := c.Order()
	a := c.Post("/v1/orders/"+id+"/notes", map[string]any{"text": "called back", "display_to_customer": true}).Is(http.StatusCreated)
	require.Equal(t, "till", a.Text("author"), "the name of the key")
	c.Post("/v1/orders/"+id+"/notes", map[string]any{"text": "second"}).Is(http.StatusCreated)
	notes := c.Get("/v1/orders/" + id + "/notes").Is(http.StatusOK)
	require.Equal(t, "second", notes.Text("data.0.text"), "newest first")
	require.Equal(t, a.At(""), notes.At("data.1"))
	require.Equal(t, c.walk("/v1/orders/"+id+"/notes?limit=1"), notes.ids())

	c.Post("/v1/orders/"+id+"/notes", map[string]any{"text": ""}).Refused(http.StatusUnprocessableEntity, "validation_failed")
	c.Post("/v1/orders/"+id+"/notes", map[string]any{"text": "card 4111 1111 1111 1111"}).
		Refused(http.StatusUnprocessableEntity, "card_data_refused")
	c.Post("/v1/orders/"+id+"/notes", map[string]any{"text": strings.Repeat("a", 4001)}).
		Refused(http.StatusUnprocessableEntity, "validation_failed")
}

func TestTheTimelineTellsTheStory(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	id := c.PaidOrder()
	c.Post("/v1/orders/"+id+"/notes", map[string]any{"text": "called back"}).Is(http.StatusCreated)
	b.notify(c.Get("/v1/orders/"+id).Text("payments.0.transactions.0.reference"), map[string]any{"event": "paid"})
	path := "/v1/orders/" + id + "/timeline"
	entries := c.Get(path + "?limit=200").Is(http.StatusOK).List("data")
	types := map[string]int{}
	before := "9999"
	for _, e := range entries {
		entry := e.(map[string]any)
		kind := entry["type"].(string)
		types[kind]++
		require.NotNil(t, entry[kind], "%v", entry)
		require.LessOrEqual(t, entry["at"].(string), before, "newest first")
		before = entry["at"].(string)
	}
	for _, kind := range []string{"note", "transaction", "run", "notification", "event"} {
		require.NotZero(t, types[kind], "the timeline has no %s: %v", kind, types)
	}
	var paged []any
	next := path + "?limit=3"
	for next != "" {
		a := c.Get(next).Is(http.StatusOK)
		paged = append(paged, a.List("data")...)
		cursor, _ := a.At("next_cursor").(string)
		if next = ""; cursor != "" {
			next = path + "?limit=3&cursor=" + cursor
		}
		require.LessOrEqual(t, len(paged), len(entries))
	}
	require.Equal(t, entries, paged, "pages lose and repeat nothing")
}

func TestAnAttributeComesBackByteForByte(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	path := "/v1/orders/" + c.Order() + "/attributes/crm.ticket"
	c.Get(path).Refused(http.StatusNotFound, "not_found")
	for _, value := range []string{
		`{"b": 1, "a": [1.0, 1e300, -0]}`, `null`, `"text"`, `12345678901234567890.000`, `[]`, "{\n  \"é\": \"\\u00e9\"\n}", `false`,
		`"` + strings.Repeat("a", 64<<10-2) + `"`,
	} {
		put := c.Put(path, value).Is(http.StatusOK)
		require.Equal(t, value, string(put.Body))
		a := c.Get(path).Is(http.StatusOK)
		require.Equal(t, value, string(a.Body))
		require.Equal(t, "application/json", a.Header.Get("Content-Type"))
		require.Equal(t, put.Header.Get("ETag"), a.Header.Get("ETag"))
	}
	c.Put(path, `"`+strings.Repeat("a", 64<<10-1)+`"`).Refused(http.StatusRequestEntityTooLarge, "body_too_large")
	c.Put(path, `{"a":1,"a":2}`).Refused(http.StatusBadRequest, "malformed_json")
	c.Put(path, `{"a":`).Refused(http.StatusBadRequest, "malformed_json")
	c.Put(path, `"\u0000"`).Refused(http.StatusUnprocessableEntity, "validation_failed")
	c.Put(path, `[1e400]`).Refused(http.StatusUnprocessableEntity, "validation_failed")
	c.Put(path, "").Refused(http.StatusBadRequest, "body_required")
	c.Send(http.MethodDelete, path, nil).Is(http.StatusNoContent)
	c.Get(path).Refused(http.StatusNotFound, "not_found")
	c.Send(http.MethodDelete, path, nil).Refused(http.StatusNotFound, "not_found")
}

func TestAnAttributeIsChangedOnlyFromTheVersionThatWasSeen(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	path := "/v1/orders/" + c.Order() + "/attributes/state"
	c.Put(path, `1`, "If-Match", `"1"`).Refused(http.StatusPreconditionFailed, "version_conflict")
	first := c.Put(path, `1`).Is(http.StatusOK).Header.Get("ETag")
	second := c.Put(path, `2`, "If-Match", first).Is(http.StatusOK).Header.Get("ETag")
	require.NotEqual(t, first, second)
	c.Put(path, `3`, "If-Match", first).Refused(http.StatusPreconditionFailed, "version_conflict")
	for _, tag := range []string{strings.Trim(second, `"`), `W/` + second, `"0` + second[1:], `"x"`, `"0"`, `"-1"`, `W/"1"`, `"99999999999999999999"`} {
		c.Put(path, `3`, "If-Match", tag).Refused(http.StatusPreconditionFailed, "version_conflict")
	}
	c.Send(http.MethodDelete, path, nil, "If-Match", first).Refused(http.StatusPreconditionFailed, "version_conflict")
	require.Equal(t, "2", string(c.Get(path).Body))
	c.Send(http.MethodDelete, path, nil, "If-Match", second).Is(http.StatusNoContent)

	again := c.Put(path, `4`, "If-None-Match", "*").Is(http.StatusOK).Header.Get("ETag")
	require.NotContains(t, []string{first, second}, again, "a value that is made anew has no version of the old one")
	c.Put(path, `5`, "If-None-Match", "*").Refused(http.StatusPreconditionFailed, "version_conflict")
	c.Put(path, `5`, "If-Match", again).Is(http.StatusOK)
}

func TestOfManyWritersOfOneVersionOneWins(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	path := "/v1/orders/" + c.Order() + "/attributes/state"
	tag := c.Put(path, `0`).Is(http.StatusOK).Header.Get("ETag")
	const writers = 8
	statuses := make(chan int, writers)
	for range writers {
		go func() {
			a, err := c.try(t.Context(), http.MethodPut, path, `1`, "If-Match", tag)
			if err != nil {
				statuses <- 0
				return
			}
			statuses <- a.Status
		}()
	}
	seen := map[int]int{}
	for range writers {
		seen[<-statuses]++
	}
	require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusPreconditionFailed: writers - 1}, seen)
}

func TestKeysOfAttributesAreNames(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	base := "/v1/orders/" + c.Order() + "/attributes/"
	for _, key := range []string{"-a", "a%20b", "a%2Fb", "%C3%A9", strings.Repeat("a", 101), "a$"} {
		a := c.Put(base+key, `1`).Refused(http.StatusUnprocessableEntity, "validation_failed")
		require.Equal(t, "path.key", a.Text("errors.0.field"))
	}
	c.Put(base+"A.b_c:d-9", `1`).Is(http.StatusOK)
}

// What is kept with an order is read with it: a shop must not be able to make each
// look at an order cost megabytes.
func TestAnOrderKeepsOneMebibyteOfAttributesAndAsMuchOfItsCheckout(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	large := `"` + strings.Repeat("s", 64<<10-2) + `"`
	for _, shelf := range []string{"/attributes/", "/checkout-state/"} {
		path := "/v1/orders/" + c.Order() + shelf
		for i := range 16 {
			c.Put(path+strconv.Itoa(i), large).Is(http.StatusOK)
		}
		a := c.Put(path+"more", `1`).Refused(http.StatusConflict, "attributes_too_large")
		require.Equal(t, "body", a.Text("errors.0.field"))
		require.Equal(t, "attributes_too_large", a.Text("errors.0.code"))
		c.Get(path+"more").Refused(http.StatusNotFound, "not_found")
		c.Put(path+"3", strings.ReplaceAll(large, "s", "t")).Is(http.StatusOK)
		c.Put(path+"3", `"`+strings.Repeat("é", 32<<10-2)+`"`).Is(http.StatusOK) // two bytes less
		c.Put(path+"more", `12`).Is(http.StatusOK)
		a = c.Put(path+"more", `"secret"`).Refused(http.StatusConflict, "attributes_too_large")
		require.NotContains(t, string(a.Body), "secret")
		c.Send(http.MethodDelete, path+"0", nil).Is(http.StatusNoContent)
		c.Put(path+"more", `"secret"`).Is(http.StatusOK)
	}
}

func TestWhatACheckoutKeepsLivesUntilTheOrderIsPlaced(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order := c.Order()
	path := "/v1/orders/" + order + "/checkout-state/chosen"
	c.Get(path).Refused(http.StatusNotFound, "not_found")
	c.Put(path, `{"method":"card"}`).Is(http.StatusOK)
	etag := c.Get(path).Is(http.StatusOK).Header.Get("ETag")
	c.Put(path, `{"method":"wallet"}`, "If-Match", etag).Is(http.StatusOK)
	c.Put(path, `{}`, "If-Match", etag).Refused(http.StatusPreconditionFailed, "version_conflict")
	require.Equal(t, `{"method":"wallet"}`, string(c.Get(path).Body))
	c.Get("/v1/orders/"+order+"/attributes/chosen").Refused(http.StatusNotFound, "not_found")

	c.Pay(order, "card", nil).Is(http.StatusOK)
	c.Get(path).Refused(http.StatusNotFound, "not_found")
	c.Put(path, `{}`).Refused(http.StatusConflict, "order_placed")
	c.Send(http.MethodDelete, path, nil).Refused(http.StatusConflict, "order_placed")
	reaped, err := b.Store.ReapCheckoutState(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, reaped)
}
