package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// attributeMaxBytes caps the value of an attribute.
const attributeMaxBytes = 64 << 10

// AttributePath names an attribute in the path.
type AttributePath struct {
	OrderPath
	Key string `path:"key" pattern:"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$" patternDescription:"a key" example:"crm.ticket"`
}

// Precondition makes a write depend on the version that the caller has seen.
type Precondition struct {
	IfMatch     string `header:"If-Match" maxLength:"30" doc:"The ETag of the value to change. Without it, whatever there is is changed."`
	IfNoneMatch string `header:"If-None-Match" enum:"*" doc:"Only where there is no value yet."`
}

// rawOutput is JSON as the caller kept it, byte for byte.
type rawOutput struct {
	ContentType string `header:"Content-Type"`
	ETag        string `header:"ETag"`
	Body        []byte
}

func raw(body []byte, etag string) *rawOutput {
	return &rawOutput{ContentType: "application/json", ETag: etag, Body: body}
}

func etagOf(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// errVersion answers a write that depends on a version which is no longer, or
// never was, the present one.
var errVersion = httpkit.NewProblem(http.StatusPreconditionFailed, "version_conflict",
	"The value is not the one that If-Match names. Read it again.")

// expected is the version that a write depends on: nil for any, 0 for none.
func (m Precondition) expected() (*int64, error) {
	switch {
	case m.IfMatch != "" && m.IfNoneMatch != "":
		return nil, errVersion // no value is and is not there
	case m.IfNoneMatch != "":
		return new(int64), nil
	case m.IfMatch == "":
		return nil, nil
	}
	version, err := strconv.ParseInt(strings.Trim(m.IfMatch, `"`), 10, 64)
	if err != nil || etagOf(version) != m.IfMatch || version == 0 {
		return nil, errVersion // no value ever had this tag
	}
	return &version, nil
}

// shelf answers for values by order and key: attributes, or the state of checkouts.
type shelf struct {
	values Attributes
	api    *API
}

func (a *API) attributes() shelf { return shelf{values: a.Books.Attributes, api: a} }

func (a *API) checkoutState() shelf { return shelf{values: a.Books.CheckoutState, api: a} }

func (s shelf) get(ctx context.Context, in *AttributePath) (*rawOutput, error) {
	id, err := payment.ParseOrderID(in.ID)
	if err != nil {
		return nil, err
	}
	kept, err := s.values.Attribute(ctx, storeOf(ctx), id, in.Key)
	if err != nil {
		return nil, err
	}
	return raw(kept.Value, etagOf(kept.Version)), nil
}

func (s shelf) put(ctx context.Context, in *struct {
	AttributePath
	Precondition
	Body json.RawMessage `doc:"Any JSON."`
}) (*rawOutput, error) {
	id, err := payment.ParseOrderID(in.ID)
	if err != nil {
		return nil, err
	}
	expect, err := in.expected()
	if err != nil {
		return nil, err
	}
	kept, err := s.values.PutAttribute(ctx, storeOf(ctx), id, in.Key, in.Body, expect, s.api.Now())
	if err != nil {
		return nil, versioned(err)
	}
	return raw(kept.Value, etagOf(kept.Version)), nil
}

func (s shelf) delete(ctx context.Context, in *struct {
	AttributePath
	Precondition
}) (*struct{}, error) {
	id, err := payment.ParseOrderID(in.ID)
	if err != nil {
		return nil, err
	}
	expect, err := in.expected()
	if err != nil {
		return nil, err
	}
	return nil, versioned(s.values.DeleteAttribute(ctx, storeOf(ctx), id, in.Key, expect))
}

// versioned gives a lost comparison the status that HTTP has for it.
func versioned(err error) error {
	if payment.CodeOf(err) == errVersion.Code {
		return errVersion
	}
	return err
}
