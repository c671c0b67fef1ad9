package api

import (
	"context"
	"encoding/json"
)

// BasketPath names a basket in the path.
type BasketPath struct {
	ID string `path:"id" maxLength:"64"`
}

func (a *API) getBasket(ctx context.Context, in *BasketPath) (*rawOutput, error) {
	b, err := a.Books.Baskets.Basket(ctx, storeOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return raw(b.Body, ""), nil
}

// putBasket keeps a basket until an order that names it is placed.
func (a *API) putBasket(ctx context.Context, in *struct {
	BasketPath
	Body json.RawMessage `doc:"Any JSON."`
}) (*struct{}, error) {
	return nil, a.Books.Baskets.PutBasket(ctx, storeOf(ctx), in.ID, in.Body, a.Now())
}

func (a *API) deleteBasket(ctx context.Context, in *BasketPath) (*struct{}, error) {
	return nil, a.Books.Baskets.DeleteBasket(ctx, storeOf(ctx), in.ID, a.Now())
}
