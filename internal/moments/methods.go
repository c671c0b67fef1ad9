package moments

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

// OfferedMethod is a method as it applies to an order.
type OfferedMethod struct {
	*settings.Method
	// Excluded says why the order cannot be paid with it; "" when it can.
	Excluded string
}

// unavailable is the refusal of a method, with the reason.
func unavailable(why string) *payment.Error {
	return &payment.Error{
		Kind: payment.KindInvalid, Code: "method_unavailable", Message: why,
		Fields: []payment.FieldError{{Field: "method", Code: "method_unavailable", Message: why}},
	}
}

// Methods lists the methods of an order's store, those that cannot pay it with
// the reason.
func (s *Service) Methods(_ context.Context, o *payment.Order) ([]OfferedMethod, error) {
	store, err := s.store(o.Store)
	if err != nil {
		return nil, err
	}
	offered := make([]OfferedMethod, 0, len(store.Methods))
	for _, m := range store.Methods {
		offered = append(offered, OfferedMethod{Method: m, Excluded: excluded(m, o)})
	}
	return offered, nil
}

// excluded says why a method cannot pay an order, "" when it can. What cannot be
// decided hides the method: a rule that fails must not let anyone pass.
func excluded(m *settings.Method, o *payment.Order) (why string) {
	defer func() {
		if p := recover(); p != nil {
			why = "its filter failed"
		}
	}()
	free := m.Account.GatewayName == zeroGateway
	switch {
	case !m.Active:
		return "it is not active"
	case o.Total.IsZero() != free:
		return map[bool]string{true: "it is for orders that cost nothing", false: "the order costs nothing"}[free]
	case len(m.Currencies) > 0 && !slices.Contains(m.Currencies, o.Currency):
		return "it is not offered in the order's currency"
	case len(m.Countries) > 0 && !slices.Contains(m.Countries, o.BillingAddress.Country):
		return "it is not offered in the country of the billing address"
	}
	if least, ok := m.MinTotal[o.Currency.String()]; ok && o.Total.Cmp(least) < 0 {
		return "the order's total is below its minimum"
	}
	if most, ok := m.MaxTotal[o.Currency.String()]; ok && o.Total.Cmp(most) > 0 {
		return "the order's total is above its maximum"
	}
	_, decides := m.Account.Gateway.(gateways.Decider)
	if due := o.Due(); !decides && due.IsPositive() && !due.Add(m.Fee.Of(due)).IsPositive() {
		return "its discount leaves nothing to charge"
	}
	if filter, ok := m.Account.Gateway.(gateways.MethodFilter); ok {
		return filter.Exclude(m.Kind, o)
	}
	return ""
}

// zeroGateway is the gateway of orders that cost nothing.
const zeroGateway = "zero"

// choose finds the method that an order is to be paid with. An order that costs
// nothing needs no choice: whatever was chosen, nothing is charged.
func (s *Service) choose(o *payment.Order, name string) (*settings.Method, error) {
	store, err := s.store(o.Store)
	if err != nil {
		return nil, err
	}
	for _, m := range store.Methods {
		if o.Total.IsZero() && m.Account.GatewayName == zeroGateway || !o.Total.IsZero() && m.Name == name {
			if why := excluded(m, o); why != "" {
				return nil, unavailable(why)
			}
			return m, nil
		}
	}
	return nil, unavailable("the store does not have this method")
}

// ValidateData checks what the shopper entered for a method, before paying.
func (s *Service) ValidateData(o *payment.Order, method string, data []byte) (payment.DataSummary, error) {
	m, err := s.choose(o, method)
	if err != nil {
		return payment.DataSummary{}, err
	}
	return validateData(m, data)
}

// validateData lets the gateway check the data. Whatever it finds is one problem
// for the caller, with its fields.
func validateData(m *settings.Method, data json.RawMessage) (payment.DataSummary, error) {
	validator, ok := m.Account.Gateway.(gateways.DataValidator)
	if !ok {
		return payment.DataSummary{}, nil
	}
	summary, err := validator.ValidateData(m.Kind, data)
	return summary, dataProblem(err)
}

// dataProblem is what a gateway finds wrong with data, as one problem for the caller.
func dataProblem(err error) error {
	if wrong, ok := errors.AsType[*payment.Error](err); ok {
		return invalidData(wrong.Fields)
	}
	return err
}

func invalidData(fields []payment.FieldError) *payment.Error {
	return &payment.Error{
		Kind: payment.KindInvalid, Code: "payment_data_invalid", Message: "the payment data is not valid: see errors",
		Fields: fields,
	}
}
