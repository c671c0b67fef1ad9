package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

type stockBody struct {
	SKU      string `json:"sku" minLength:"1" maxLength:"100"`
	Quantity int64  `json:"quantity" minimum:"0" maximum:"1000000000000"`
}

type stockView struct {
	SKU       string            `json:"sku"`
	Quantity  int64             `json:"quantity"`
	UpdatedAt httpkit.Timestamp `json:"updated_at"`
}

type stockOutput struct{ Body stockView }

func viewStock(i payment.StockItem) stockView {
	return stockView{SKU: i.SKU, Quantity: i.Quantity, UpdatedAt: httpkit.NewTimestamp(i.UpdatedAt)}
}

func (a *API) listStock(ctx context.Context, in *struct{ httpkit.Page }) (*listOutput[stockView], error) {
	items, next, err := a.Books.Stock.ListStock(ctx, storeOf(ctx), pageOf(in.Page))
	if err != nil {
		return nil, unlisted(err)
	}
	return listed(items, next, viewStock), nil
}

// putStock sets the stock of the articles that are sent, all or none, and
// leaves the others alone.
func (a *API) putStock(ctx context.Context, in *struct {
	Body struct {
		Items []stockBody `json:"items" minItems:"1" maxItems:"500"`
	}
}) (*listOutput[stockView], error) {
	now := a.Now()
	items := make([]payment.StockItem, len(in.Body.Items))
	for i, item := range in.Body.Items {
		items[i] = payment.StockItem{SKU: item.SKU, Quantity: item.Quantity, UpdatedAt: now}
	}
	if err := unique("items", "sku", items, func(i payment.StockItem) string { return i.SKU }); err != nil {
		return nil, err
	}
	if err := a.Books.Stock.SetStock(ctx, storeOf(ctx), items, now); err != nil {
		return nil, err
	}
	return listed(items, "", viewStock), nil
}

// ArticlePath names an article in the path.
type ArticlePath struct {
	SKU string `path:"sku" maxLength:"100"`
}

func (a *API) deleteStock(ctx context.Context, in *ArticlePath) (*struct{}, error) {
	return nil, a.Books.Stock.DeleteStock(ctx, storeOf(ctx), in.SKU)
}

func (a *API) getStock(ctx context.Context, in *ArticlePath) (*stockOutput, error) {
	item, err := a.Books.Stock.StockItem(ctx, storeOf(ctx), in.SKU)
	if err != nil {
		return nil, err
	}
	return &stockOutput{Body: viewStock(item)}, nil
}
