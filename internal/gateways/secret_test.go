package gateways_test

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/goccy/go-yaml"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
)

func TestNobodyPrintsASecret(t *testing.T) {
	t.Parallel()
	const plain = "sk_live_canary"
	s := gateways.Secret(plain)
	holder := struct {
		Key  gateways.Secret            `json:"key" yaml:"key"`
		List []gateways.Secret          `json:"list" yaml:"list"`
		Map  map[string]gateways.Secret `json:"map" yaml:"map"`
	}{s, []gateways.Secret{s}, map[string]gateways.Secret{"a": s}}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&out, verb, s)
		fmt.Fprintf(&out, verb, &holder)
	}
	fmt.Fprintln(&out, s, holder, fmt.Errorf("with %w and %v", errors.New("x"), s))
	for _, encode := range []func(any) ([]byte, error){
		stdjson.Marshal, yaml.Marshal, func(v any) ([]byte, error) { return json.Marshal(v) },
	} {
		text, err := encode(holder)
		require.NoError(t, err)
		require.Contains(t, string(text), "***")
		out.Write(text)
	}
	log := zerolog.New(&out)
	log.Info().Interface("a", holder).Any("b", s).Stringer("c", s).Msgf("%v %+v", s, holder)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "key", s, "holder", holder)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "key", s, "holder", holder)
	require.NotContains(t, out.String(), plain)
	require.NotContains(t, out.String(), fmt.Sprintf("%x", plain))
	require.Equal(t, plain, s.Reveal())
}
