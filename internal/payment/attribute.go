package payment

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"
)

// The bounds of the attributes of one order together: how many, and their values in
// bytes.
const (
	AttributesMax      = 200
	AttributesMaxBytes = 1 << 20
)

// The bounds of an attribute, the same for the API and for steps.
const (
	attributeMaxBytes = 64 << 10
	attributeKeyMax   = 100
	attributeDepthMax = 32
)

// What makes an attribute impossible to set.
var (
	ErrAttributeKey       = errors.New("an attribute's key has 1 to 100 letters, digits and . _ : -, and begins with a letter or digit")
	ErrAttributeValue     = errors.New("an attribute's value is JSON of at most 64 KiB, nested at most 32 deep")
	ErrTooManyAttributes  = errors.New("an order has at most 200 attributes")
	ErrAttributesTooLarge = errors.New("the attributes of an order are at most 1 MiB together")
	errAttributesUnread   = errors.New("the attributes of the order were not loaded")
)

// ValidAttributeKey tells whether key may be the key of an attribute.
func ValidAttributeKey(key string) bool {
	for i := range len(key) {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && (c == '.' || c == '_' || c == ':' || c == '-'):
		default:
			return false
		}
	}
	return key != "" && len(key) <= attributeKeyMax
}

// CheckAttribute tells what is wrong with an attribute by itself.
func CheckAttribute(key string, value []byte) error {
	switch {
	case !ValidAttributeKey(key):
		return ErrAttributeKey
	case !validAttribute(value):
		return ErrAttributeValue
	}
	return nil
}

// validAttribute tells whether the database takes a value, and whoever reads it.
func validAttribute(value []byte) bool {
	if len(value) > attributeMaxBytes || !utf8.Valid(value) || !json.Valid(value) {
		return false
	}
	depth, inText := 0, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case inText && c == '\\':
			i++ // whatever it escapes
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth > attributeDepthMax {
			return false
		}
	}
	return true
}

// NextAttributeVersion is the version of an attribute that is set at a time, where
// before is the version that it has, 0 for none. It comes from the time, so that an
// attribute that is deleted and made anew never has one again.
func NextAttributeVersion(before int64, at time.Time) int64 { return max(before+1, at.UnixMicro()) }

// AttributeFits tells whether an order whose attributes hold so many bytes takes a
// value of size in place of one of before, which they count. What does not grow
// fits always: an order from before there was a bound may be beyond it.
func AttributeFits(held, before, size int) bool {
	return size <= before || held-before+size <= AttributesMaxBytes
}

// SetAttribute stages an attribute of the order, which must have been opened
// with its attributes. A value that it has already changes nothing, so steps may
// run any number of times.
func (o *Order) SetAttribute(key string, value []byte, at time.Time) error {
	if err := CheckAttribute(key, value); err != nil {
		return err
	}
	before, has := o.Attributes[key]
	switch {
	case o.Attributes == nil:
		return errAttributesUnread
	case has && bytes.Equal(before.Value, value):
		return nil
	case !has && len(o.Attributes) >= AttributesMax:
		return ErrTooManyAttributes
	case !AttributeFits(o.attributeBytes(), len(before.Value), len(value)):
		return ErrAttributesTooLarge
	}
	a := Attribute{Key: key, Value: value, Version: NextAttributeVersion(before.Version, at), UpdatedAt: at.UTC()}
	o.Attributes[key] = a
	for i := range o.Staged.Attributes {
		if o.Staged.Attributes[i].Key == key {
			o.Staged.Attributes[i] = a
			return nil
		}
	}
	o.Staged.Attributes = append(o.Staged.Attributes, a)
	return nil
}

func (o *Order) attributeBytes() int {
	sum := 0
	for _, a := range o.Attributes {
		sum += len(a.Value)
	}
	return sum
}
