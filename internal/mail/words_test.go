package mail

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryLanguageHasEveryWord(t *testing.T) {
	t.Parallel()
	for _, language := range languages() {
		words, known := wordsOf(language)
		require.True(t, known, language)
		require.Equal(t, language, words.Language)
		v := reflect.ValueOf(words)
		for i := range v.NumField() {
			require.NotEmpty(t, v.Field(i).String(), "%s: %s", language, v.Type().Field(i).Name)
		}
	}
	require.Contains(t, languages(), fallback)
	require.Len(t, samples(), 2)
}
