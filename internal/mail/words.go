package mail

// Words are what a template says besides the order, in one language.
type Words struct {
	Language        string // for the page's lang
	YourOrder       string // begins the subject: "Your order 10001 at Demo shop"
	At              string
	Hello           string // before the name, or alone
	Thanks          string
	OrderNumber     string
	YourItems       string
	Subtotal        string
	Shipping        string
	Discount        string
	Tax             string
	TaxIncluded     string // below the total: "Including tax: €20.75"
	Fee             string
	FeeDiscount     string // in place of Fee where a way to pay costs less than nothing
	Total           string
	HowToPay        string
	BillingAddress  string
	ShippingAddress string
	Address         string // where both are the same
	Automatic       string // the footer
}

// fallback is the language of orders whose own has no templates.
const fallback = "en"

// wordsOf returns the words of a language that has them.
func wordsOf(language string) (Words, bool) {
	switch language {
	case "en":
		return Words{
			Language: "en", YourOrder: "Your order", At: "at", Hello: "Hello",
			Thanks:      "Thank you for your order. This is what we have noted.",
			OrderNumber: "Order number", YourItems: "Your items",
			Subtotal: "Subtotal", Shipping: "Shipping", Discount: "Discount", Tax: "Tax",
			TaxIncluded: "Including tax", Fee: "Payment fee", FeeDiscount: "Payment discount",
			Total: "Total", HowToPay: "How to pay",
			BillingAddress: "Billing address", ShippingAddress: "Shipping address",
			Address: "Billing and shipping address", Automatic: "This mail was sent automatically.",
		}, true
	case "de":
		return Words{
			Language: "de", YourOrder: "Ihre Bestellung", At: "bei", Hello: "Guten Tag",
			Thanks:      "vielen Dank für Ihre Bestellung. Das haben wir für Sie notiert.",
			OrderNumber: "Bestellnummer", YourItems: "Ihre Artikel",
			Subtotal: "Zwischensumme", Shipping: "Versand", Discount: "Rabatt", Tax: "Steuer",
			TaxIncluded: "Darin enthaltene Steuer", Fee: "Zahlungsgebühr", FeeDiscount: "Rabatt für die Zahlungsart",
			Total: "Gesamtbetrag", HowToPay: "So bezahlen Sie",
			BillingAddress: "Rechnungsadresse", ShippingAddress: "Lieferadresse",
			Address: "Rechnungs- und Lieferadresse", Automatic: "Diese Mail wurde automatisch verschickt.",
		}, true
	case "nl":
		return Words{
			Language: "nl", YourOrder: "Uw bestelling", At: "bij", Hello: "Hallo",
			Thanks:      "Bedankt voor uw bestelling. Dit hebben wij genoteerd.",
			OrderNumber: "Bestelnummer", YourItems: "Uw artikelen",
			Subtotal: "Subtotaal", Shipping: "Verzending", Discount: "Korting", Tax: "Belasting",
			TaxIncluded: "Inclusief belasting", Fee: "Betaalkosten", FeeDiscount: "Korting op betaalwijze",
			Total: "Totaal", HowToPay: "Zo betaalt u",
			BillingAddress: "Factuuradres", ShippingAddress: "Bezorgadres",
			Address: "Factuur- en bezorgadres", Automatic: "Deze e-mail is automatisch verstuurd.",
		}, true
	case "fr":
		return Words{
			Language: "fr", YourOrder: "Votre commande", At: "chez", Hello: "Bonjour",
			Thanks:      "Merci pour votre commande. Voici ce que nous avons noté.",
			OrderNumber: "Numéro de commande", YourItems: "Vos articles",
			Subtotal: "Sous-total", Shipping: "Livraison", Discount: "Remise", Tax: "Taxes",
			TaxIncluded: "Dont taxes", Fee: "Frais de paiement", FeeDiscount: "Remise sur le mode de paiement",
			Total: "Total", HowToPay: "Comment payer",
			BillingAddress: "Adresse de facturation", ShippingAddress: "Adresse de livraison",
			Address: "Adresse de facturation et de livraison", Automatic: "Ce message a été envoyé automatiquement.",
		}, true
	case "es":
		return Words{
			Language: "es", YourOrder: "Su pedido", At: "en", Hello: "Hola",
			Thanks:      "Gracias por su pedido. Esto es lo que hemos anotado.",
			OrderNumber: "Número de pedido", YourItems: "Sus artículos",
			Subtotal: "Subtotal", Shipping: "Envío", Discount: "Descuento", Tax: "Impuestos",
			TaxIncluded: "Impuestos incluidos", Fee: "Gastos de pago", FeeDiscount: "Descuento por forma de pago",
			Total: "Total", HowToPay: "Cómo pagar",
			BillingAddress: "Dirección de facturación", ShippingAddress: "Dirección de envío",
			Address: "Dirección de facturación y de envío", Automatic: "Este mensaje se ha enviado automáticamente.",
		}, true
	default:
		return Words{}, false
	}
}

// languages are those that have words, and so all default templates.
func languages() []string { return []string{"de", "en", "es", "fr", "nl"} }
