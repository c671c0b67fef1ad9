package sandbox

import (
	stdjson "encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/paysvc/paysvc/internal/payment"
)

const (
	scenarioApprove = "approve"
	// scenarioRefuse is played here: no PSP can refuse a connection on demand.
	scenarioRefuse = "refuse_before_send"
)

// scenarios lists what the simulator plays on demand.
func scenarios() []string {
	return []string{
		scenarioApprove, "decline", "insufficient_funds", "lost_card", "action_required", scenarioRefuse,
		"timeout_after_charge", "timeout_no_charge", "error_after_charge", "html_502_after_charge", "garbage",
		"pending_then_approve", "pending_then_decline", "wrong_amount", "wrong_currency", "no_echo", "slow",
	}
}

// operationScenarios lists what it plays when something is done with a payment:
// no shopper is there to act, and it may have been done before.
func operationScenarios() []string {
	shopper := func(s string) bool { return s == "action_required" }
	return append(slices.DeleteFunc(scenarios(), shopper), "already_done")
}

// ValidateData implements gateways.DataValidator.
func (g *Gateway) ValidateData(method string, data stdjson.RawMessage) (payment.DataSummary, error) {
	if _, ok := g.Describe().Methods[method]; !ok {
		return payment.DataSummary{}, payment.Errorf(payment.KindInvalid, "method_unavailable", "the gateway has no such method")
	}
	if _, err := scenarioOf(data, scenarios()); err != nil {
		return payment.DataSummary{}, err
	}
	return payment.DataSummary{Brand: "Sandbox", Masked: "•••• 0000"}, nil
}

// ValidateOperationData implements gateways.OperationDataValidator.
func (g *Gateway) ValidateOperationData(data stdjson.RawMessage) error {
	_, err := scenarioOf(data, operationScenarios())
	return err
}

// scenarioOf reads {"scenario": "…"}, one of those known; no data, or none that says so, is approve.
func scenarioOf(data stdjson.RawMessage, known []string) (string, error) {
	if len(data) == 0 {
		return scenarioApprove, nil
	}
	var d struct {
		Scenario *string `json:"scenario"`
	}
	if err := json.Unmarshal(data, &d, json.RejectUnknownMembers(true)); err != nil {
		return "", invalidData(err)
	}
	if d.Scenario == nil {
		return scenarioApprove, nil
	}
	if !slices.Contains(known, *d.Scenario) {
		return "", payment.Invalid("data.scenario", "unknown_scenario", "must be a scenario that the sandbox knows")
	}
	return *d.Scenario, nil
}

// invalidData says which field is wrong, as far as that can be said without
// repeating a value.
func invalidData(err error) error {
	e, ok := errors.AsType[*json.SemanticError](err)
	switch {
	case ok && e.Err == json.ErrUnknownName: //nolint:errorlint // wrapped directly, says its documentation
		return payment.Invalid(fieldNamed(e.JSONPointer.LastToken()), "unknown_field", "is not known; only scenario is")
	case ok && e.JSONPointer == "/scenario":
		return payment.Invalid("data.scenario", "wrong_type", "must be text")
	}
	return payment.Invalid("data", "invalid_json", "must be a JSON object with at most the field scenario")
}

func fieldNamed(name string) string {
	const nameMaxBytes = 40
	if name == "" || len(name) > nameMaxBytes || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz_-") != "" {
		return "data" // whatever that is, it is no field's name
	}
	return "data." + name
}
