package payment

import "strings"

// Currency is a currency of ISO 4217. Only ParseCurrency makes one, so a
// Currency that is not the zero value is known and has its digits.
type Currency struct {
	code   string
	digits int
}

// ParseCurrency reads an ISO 4217 alphabetic code in capital letters.
func ParseCurrency(code string) (Currency, error) {
	if len(code) == 3 {
		for digits, codes := range currencies {
			if i := strings.Index(codes, code); i >= 0 && i%4 == 0 {
				return Currency{code: codes[i : i+3], digits: digits}, nil
			}
		}
	}
	return Currency{}, Errorf(KindInvalid, "currency_unknown", "must be an ISO 4217 currency code in capital letters")
}

// String returns the code, e.g. "EUR".
func (c Currency) String() string { return c.code }

// Digits returns the number of decimals that ISO 4217 gives the currency.
func (c Currency) Digits() int { return c.digits }

// currencies lists the codes in use by their number of decimals, after ISO
// 4217 list one as amended to 2026. Codes without a minor unit (metals, testing
// codes, special drawing rights) are left out: nobody pays with them.
var currencies = [...]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF ",
	1: "",
	2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD " +
		"CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP " +
		"GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD " +
		"MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP " +
		"PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT " +
		"TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ",
	3: "BHD IQD JOD KWD LYD OMR TND ",
	4: "CLF UYW ",
}
