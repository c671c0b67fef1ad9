package api

import (
	"context"
	"fmt"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

type promotionCodeBody struct {
	Code     string `json:"code" minLength:"1" maxLength:"64"`
	UsageMax *int64 `json:"usage_max,omitempty" nullable:"true" minimum:"0" maximum:"1000000000000" doc:"How often it may be used; null for no limit."`
}

type promotionCodeView struct {
	Code      string            `json:"code"`
	Used      int64             `json:"used"`
	UsageMax  *int64            `json:"usage_max"`
	UpdatedAt httpkit.Timestamp `json:"updated_at"`
}

type promotionCodeOutput struct{ Body promotionCodeView }

func viewPromotionCode(c payment.PromotionCode) promotionCodeView {
	return promotionCodeView{Code: c.Code, Used: c.Used, UsageMax: c.UsageMax, UpdatedAt: httpkit.NewTimestamp(c.UpdatedAt)}
}

func (a *API) listPromotionCodes(ctx context.Context, in *struct{ httpkit.Page }) (*listOutput[promotionCodeView], error) {
	codes, next, err := a.Books.PromotionCodes.ListPromotionCodes(ctx, storeOf(ctx), pageOf(in.Page))
	if err != nil {
		return nil, unlisted(err)
	}
	return listed(codes, next, viewPromotionCode), nil
}

// putPromotionCodes sets the limits of the codes that are sent, all or none.
// How often a code was used is counted here and cannot be set.
func (a *API) putPromotionCodes(ctx context.Context, in *struct {
	Body struct {
		Items []promotionCodeBody `json:"items" minItems:"1" maxItems:"500"`
	}
}) (*listOutput[promotionCodeView], error) {
	codes := make([]payment.PromotionCode, len(in.Body.Items))
	for i, c := range in.Body.Items {
		codes[i] = payment.PromotionCode{Code: c.Code, UsageMax: c.UsageMax}
	}
	if err := unique("items", "code", codes, func(c payment.PromotionCode) string { return c.Code }); err != nil {
		return nil, err
	}
	if err := a.Books.PromotionCodes.SetPromotionCodes(ctx, storeOf(ctx), codes, a.Now()); err != nil {
		return nil, err
	}
	for i, c := range codes {
		kept, err := a.Books.PromotionCodes.PromotionCode(ctx, storeOf(ctx), c.Code)
		if err != nil {
			return nil, err
		}
		codes[i] = kept
	}
	return listed(codes, "", viewPromotionCode), nil
}

// CodePath names a promotion code in the path.
type CodePath struct {
	Code string `path:"code" maxLength:"64"`
}

func (a *API) deletePromotionCode(ctx context.Context, in *CodePath) (*struct{}, error) {
	return nil, a.Books.PromotionCodes.DeletePromotionCode(ctx, storeOf(ctx), in.Code)
}

func (a *API) getPromotionCode(ctx context.Context, in *CodePath) (*promotionCodeOutput, error) {
	code, err := a.Books.PromotionCodes.PromotionCode(ctx, storeOf(ctx), in.Code)
	if err != nil {
		return nil, err
	}
	return &promotionCodeOutput{Body: viewPromotionCode(code)}, nil
}

// unique refuses a list that sets the same thing twice: which one counts would
// be anyone's guess.
func unique[T any](list, field string, items []T, key func(T) string) error {
	seen := make(map[string]bool, len(items))
	for i, item := range items {
		if seen[key(item)] {
			return payment.Invalid(fmt.Sprintf("%s[%d].%s", list, i, field), "duplicate", "stands in the list twice")
		}
		seen[key(item)] = true
	}
	return nil
}
