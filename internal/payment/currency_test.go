package payment_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// isoCodes are the codes of ISO 4217 with a minor unit, written down again by
// their number of decimals, so that a slip of the pen in either list shows.
func isoCodes() []string {
	var all []string
	for _, codes := range isoByDigits() {
		all = append(all, strings.Fields(codes)...)
	}
	slices.Sort(all)
	return all
}

func isoByDigits() map[int]string {
	return map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		2: `AED AFN ALL AMD AOA ARS AUD AWG AZN
			BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
			CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK
			DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
			HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL
			MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD
			PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL
			THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG`,
		3: "BHD IQD JOD KWD LYD OMR TND",
		4: "CLF UYW",
	}
}

func TestEveryCurrencyOfISO4217HasItsDecimals(t *testing.T) {
	t.Parallel()
	for digits, codes := range isoByDigits() {
		for code := range strings.FieldsSeq(codes) {
			c, err := payment.ParseCurrency(code)
			require.NoError(t, err, code)
			require.Equal(t, code, c.String())
			require.Equal(t, digits, c.Digits(), code)
		}
	}
	for code, digits := range map[string]int{
		"JPY": 0, "KWD": 3, "CLF": 4, "IDR": 2, "MRU": 2, "VES": 2, "SLE": 2, "XCG": 2, "ZWG": 2, "ISK": 0, "UGX": 0, "HUF": 2,
	} {
		require.Equal(t, digits, currency(t, code).Digits(), code)
	}
}

// All combinations of three capitals: nothing is known beside the list, and no
// code is read out of the middle of two others.
func TestNoOtherCodeIsACurrency(t *testing.T) {
	t.Parallel()
	known := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				if _, err := payment.ParseCurrency(string([]rune{a, b, c})); err == nil {
					known++
				}
			}
		}
	}
	require.Len(t, isoCodes(), known)
	for _, code := range []string{
		"", "E", "EU", "eur", "Eur", "EURO", " EUR", "EUR ", "EU ", "UR ", " AE", "R F", "€", "EUＲ", "978", "DEM", "ZWL", "HRK",
		"SLL", "ANG", "CUC", "XAU", "XTS", "XXX", "BTC", "\x00\x00\x00",
	} {
		_, err := payment.ParseCurrency(code)
		require.Equal(t, "currency_unknown", payment.CodeOf(err), "%q", code)
	}
}
