package api_test

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// listedAction is what the list says of an action.
type listedAction struct {
	allowed  bool
	max, why string
}

// actions are the actions of an order by name, those of a payment with its id.
func (c *client) actions(order string) map[string]listedAction {
	c.t.Helper()
	all := map[string]listedAction{}
	for _, row := range c.Get("/v1/orders/" + order + "/actions").Is(http.StatusOK).List("data") {
		m := row.(map[string]any)
		name := m["action"].(string)
		if id, ok := m["payment"].(string); ok {
			name += " " + id
		}
		a := listedAction{allowed: m["allowed"].(bool)}
		a.max, _ = m["max_amount"].(string)
		if why, ok := m["why_not"].(map[string]any); ok {
			a.why = why["code"].(string)
			require.Regexp(c.t, `^[A-Z].*\.$`, why["message"])
		}
		require.Equal(c.t, a.allowed, a.why == "", "%v", m)
		all[name] = a
	}
	return all
}

func TestTheActionsOfAnOrder(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order := c.Order(hundred)
	require.Equal(t, map[string]listedAction{
		"pay": {true, "100.00", ""}, "repay": {false, "", "never_paid"}, "cancel": {true, "", ""},
		"complete": {false, "", "order_not_covered"}, "refund": {false, "", "nothing_captured"},
	}, c.actions(order))

	id := c.Pay(order, "card-manual", nil).Is(http.StatusOK).Text("payment.id")
	require.Equal(t, map[string]listedAction{
		"pay": {false, "", "order_already_paid"}, "repay": {false, "", "order_already_paid"}, "cancel": {true, "", ""},
		"complete": {true, "", ""}, "refund": {false, "", "nothing_captured"},
		"capture " + id: {true, "100.00", ""}, "refund " + id: {false, "", "nothing_captured"}, "void " + id: {true, "100.00", ""},
		"increase " + id: {true, "9999999999899.99", ""}, "mark_paid " + id: {false, "", "gateway_decides"},
		"mark_authorized " + id: {false, "", "gateway_decides"},
	}, c.actions(order))

	c.do(id, "capture", amount("30.00")).Is(http.StatusOK)
	all := c.actions(order)
	require.Equal(t, listedAction{true, "70.00", ""}, all["capture "+id])
	require.Equal(t, listedAction{true, "30.00", ""}, all["refund "+id])
	require.Equal(t, listedAction{true, "30.00", ""}, all["refund"])
	require.Equal(t, listedAction{true, "70.00", ""}, all["void "+id])
	require.Equal(t, listedAction{false, "", "captured_already"}, all["increase "+id])
}

// outcomes are how operations are played, of those that say at once what became of
// them or that the PSP has to be asked about.
var outcomes = []string{"approve", "approve", "approve", "decline", "pending_then_approve", "timeout_after_charge", "refuse_before_send"}

// An action that is listed as allowed is taken, and one that is not is refused for
// the reason that the list gives.
func TestTheListOfActionsIsTrue(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	methods := []string{"card", "card-manual", "wallet", "invoice"}
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 7))
		order := c.Order(hundred)
		method := methods[random.IntN(len(methods))]
		if random.IntN(6) > 0 {
			c.Pay(order, method, nil)
		}
		for range 6 {
			c.tryAnAction(order, random)
		}
	}
}

// tryAnAction does something that is listed, and compares.
func (c *client) tryAnAction(order string, random *rand.Rand) {
	c.t.Helper()
	all := c.actions(order)
	names := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if name != "pay" && name != "repay" && (name != "cancel" || random.IntN(8) == 0) {
			names = append(names, name)
		}
	}
	name := names[random.IntN(len(names))]
	said := all[name]
	action, id, ofPayment := strings.Cut(name, " ")
	path := "/v1/orders/" + order + "/" + action
	if ofPayment {
		path = "/v1/payments/" + id + "/" + strings.ReplaceAll(action, "_", "-")
	}
	a := c.Post(path, c.bodyFor(action, random))
	switch {
	case said.allowed:
		require.NotContains(c.t, []int{http.StatusConflict, http.StatusUnprocessableEntity, http.StatusInternalServerError}, a.Status, "%s: %s", name, a.Body)
	case said.why == "outcome_unknown" && a.Status != http.StatusConflict: // the PSP was asked, and knew
	case action == "cancel":
		require.Equal(c.t, said.why, a.Is(http.StatusConflict).Text("code"))
	default:
		a.Refused(http.StatusConflict, "action_not_allowed")
		if said.why == "outcome_unknown" || said.why == "operation_in_progress" {
			return // what was under way may be known by now
		}
		require.Equal(c.t, said.why, a.Text("why_not.code"), "%s", name)
	}
}

func (c *client) bodyFor(action string, random *rand.Rand) any {
	switch action {
	case "complete":
		return nil
	case "cancel":
		return map[string]any{"reason": "changed their mind", "release": "none"}
	case "mark_paid", "mark_authorized":
		return map[string]any{"reason": "Statement 17."}
	case "increase":
		return amount("0.01")
	}
	body := playing(outcomes[random.IntN(len(outcomes))])
	if action != "void" && random.IntN(2) == 0 {
		body["amount"] = "0.01"
	}
	return body
}
