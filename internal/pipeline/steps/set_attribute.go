package steps

import (
	"encoding/json"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// setAttribute sets an attribute of the order to a fixed value.
type setAttribute struct {
	key   string
	value []byte
}

// attributeValue is JSON as settings hold it: a text that is no JSON stands for
// itself, so that `value: gold` means "gold".
type attributeValue []byte

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *attributeValue) UnmarshalText(source []byte) error {
	if json.Valid(source) {
		*v = append(attributeValue(nil), source...)
		return nil
	}
	quoted, err := json.Marshal(string(source))
	*v = quoted
	return err
}

var setAttributeMaker = pipeline.Maker{Name: "set-attribute", Make: func(decode func(any) error) (pipeline.Step, error) {
	var c struct {
		Key   string         `yaml:"key"`
		Value attributeValue `yaml:"value"`
	}
	if err := decode(&c); err != nil {
		return nil, err
	}
	if err := payment.CheckAttribute(c.Key, c.Value); err != nil {
		return nil, invalidAttribute(err)
	}
	return setAttribute{key: c.Key, value: c.Value}, nil
}}

func invalidAttribute(err error) error {
	if err == payment.ErrAttributeKey { //nolint:errorlint // CheckAttribute returns it as it is
		return payment.Invalid("key", "invalid", err.Error())
	}
	return payment.Invalid("value", "invalid", err.Error())
}

func (setAttribute) Name() string { return "set-attribute" }

func (setAttribute) ReadsAttributes() bool { return true }

func (s setAttribute) Do(run *pipeline.Run) error {
	return run.Order.SetAttribute(s.key, s.value, run.At)
}
