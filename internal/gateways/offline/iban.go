package offline

import "strings"

// ibanLengths lists how long the IBANs of each country are, after the registry
// of ISO 13616 (SWIFT, release 100).
const ibanLengths = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 " +
	"EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 " +
	"KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 " +
	"PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 "

// ibanShown is how many characters of an IBAN are kept.
const ibanShown = 4

// checkIBAN keeps the last characters only. Spaces and case are tolerated.
func checkIBAN(value string) (kept, problem string) {
	iban := strings.ToUpper(strings.ReplaceAll(strings.ReplaceAll(value, " ", ""), "\u00a0", ""))
	if strings.Trim(iban, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || len(iban) < ibanShown {
		return "", "must be an IBAN: letters and digits"
	}
	at := strings.Index(ibanLengths, iban[:2])
	if at < 0 || at%5 != 0 {
		return "", "must be an IBAN: it does not begin with a country that has them"
	}
	if length := int(ibanLengths[at+2]-'0')*10 + int(ibanLengths[at+3]-'0'); len(iban) != length {
		return "", "must be an IBAN: it does not have as many characters as those of its country"
	}
	if !ibanSumFits(iban) {
		return "", "must be an IBAN: its check digits do not fit"
	}
	return "•••• " + iban[len(iban)-ibanShown:], ""
}

// ibanSumFits checks digits three and four as ISO 7064 has it: with the first
// four characters at the end and letters as 10 to 35, the number leaves 1 when
// divided by 97. 02 to 98 are the only check digits that are ever made.
func ibanSumFits(iban string) bool {
	digits := iban[2:4]
	if strings.Trim(digits, "0123456789") != "" || digits < "02" || digits > "98" {
		return false
	}
	rest := 0
	for _, c := range []byte(iban[4:] + iban[:4]) {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}
