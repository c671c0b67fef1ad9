package settings

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

var (
	secretType   = reflect.TypeFor[gateways.Secret]()
	durationType = reflect.TypeFor[time.Duration]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// decode fills the pointer of a gateway's configuration from its settings.
//
// A field has the key of its `yaml:"…"` tag, or else its name in lower case. It
// may be a string, a bool, a whole number, a time.Duration ("5s"), an
// encoding.TextUnmarshaler, a gateways.Secret, or a struct, pointer, list or
// map of these; floats are refused, as no float belongs near money. What the
// file leaves out stays as it is, so a gateway sets its defaults beforehand.
// A Secret must be a reference; any other scalar may be one.
func (l *loader) decode(n *node, target any) error {
	v := reflect.ValueOf(target)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("settings are decoded into a pointer, not into %T", target)
	}
	if n == nil {
		return nil
	}
	before := len(l.problems)
	if err := l.into(n, v.Elem()); err != nil {
		return err
	}
	if wrong := l.problems[before:]; len(wrong) > 0 {
		return append(Problems(nil), wrong...)
	}
	return nil
}

// into sets v from n. What is wrong with the file is reported; the error is
// about a type that cannot be set.
func (l *loader) into(n *node, v reflect.Value) error {
	switch {
	case v.Type() == secretType:
		l.secret(n, v)
		return nil
	case v.Type() == durationType:
		l.duration(n, v)
		return nil
	case v.Addr().Type().Implements(textType):
		l.unmarshal(n, v.Addr().Interface().(encoding.TextUnmarshaler)) //nolint:errcheck // the case says so
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return l.into(n, v.Elem())
	case reflect.Struct:
		return l.structure(n, v)
	case reflect.Slice:
		return l.slice(n, v)
	case reflect.Map:
		return l.table(n, v)
	}
	return l.plainScalar(n, v)
}

func (l *loader) plainScalar(n *node, v reflect.Value) error {
	switch {
	case v.Kind() == reflect.String:
		if value, ok := l.scalar(n, "text", text); ok {
			v.SetString(value)
		}
	case v.Kind() == reflect.Bool:
		v.SetBool(l.flag(n, v.Bool()))
	case v.CanInt():
		if value, ok := l.scalar(n, "a whole number", number); ok {
			i, err := strconv.ParseInt(value, 10, v.Type().Bits())
			if err != nil {
				l.report(n, "must be a whole number of at most %d bits", v.Type().Bits())
			}
			v.SetInt(i)
		}
	case v.CanUint():
		if value, ok := l.scalar(n, "a whole number", number); ok {
			i, err := strconv.ParseUint(value, 10, v.Type().Bits())
			if err != nil {
				l.report(n, "must be a whole number of at most %d bits, not negative", v.Type().Bits())
			}
			v.SetUint(i)
		}
	default:
		return fmt.Errorf("settings cannot hold a %s", v.Type())
	}
	return nil
}

func (l *loader) structure(n *node, v reflect.Value) error {
	keys, indexes := []string{}, []int{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || key == "-" {
			continue
		}
		if key == "" {
			key = strings.ToLower(f.Name)
		}
		keys, indexes = append(keys, key), append(indexes, i)
	}
	if !l.fields(n, keys...) {
		return nil
	}
	for i, key := range keys {
		value := n.get(key)
		if value == nil {
			continue
		}
		if err := l.into(value, v.Field(indexes[i])); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func (l *loader) slice(n *node, v reflect.Value) error {
	items := l.list(n)
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		if err := l.into(item, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) table(n *node, v reflect.Value) error {
	if v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("settings cannot hold a %s", v.Type())
	}
	if n.kind != mapping {
		l.mistyped(n, "keys with values")
		return nil
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.fields)))
	for _, f := range n.fields {
		value := reflect.New(v.Type().Elem()).Elem()
		if err := l.into(f.value, value); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(f.key).Convert(v.Type().Key()), value)
	}
	return nil
}

// secret refuses a secret that stands in the file: settings are reviewed,
// copied and committed, and a secret in them is known to all.
func (l *loader) secret(n *node, v reflect.Value) {
	if !n.isReference() {
		l.report(n, "a secret stands here only as {env: NAME} or {file: path}")
		return
	}
	if value, ok := l.resolve(n); ok {
		v.SetString(value)
	}
}

func (l *loader) duration(n *node, v reflect.Value) {
	value, ok := l.scalar(n, "a duration such as 5s", text)
	if !ok {
		return
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		l.report(n, "must be a duration such as 500ms, 5s or 2m")
		return
	}
	v.SetInt(int64(d))
}

// unmarshal hands the source text over. Only an error that promises to repeat
// no value is repeated.
func (l *loader) unmarshal(n *node, target encoding.TextUnmarshaler) {
	value, ok := l.scalar(n, "a value", text, number, fraction, boolean)
	if !ok {
		return
	}
	err := target.UnmarshalText([]byte(value))
	if e, ok := errors.AsType[*payment.Error](err); ok {
		l.report(n, "%s", e.Message)
	} else if err != nil {
		l.report(n, "is not valid")
	}
}
