package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

type noteBody struct {
	Text              httpkit.Text `json:"text" minLength:"1" maxLength:"4000"`
	DisplayToCustomer bool         `json:"display_to_customer,omitempty"`
}

type noteView struct {
	ID                string            `json:"id"`
	Author            string            `json:"author" doc:"system, or the name of the key that left it."`
	Text              string            `json:"text"`
	DisplayToCustomer bool              `json:"display_to_customer"`
	CreatedAt         httpkit.Timestamp `json:"created_at"`
}

type noteOutput struct{ Body noteView }

func viewNote(order payment.OrderID, n payment.Note) noteView {
	return noteView{
		ID: payment.NoteID{Order: order, N: n.N}.String(), Author: n.Author, Text: n.Text,
		DisplayToCustomer: n.DisplayToCustomer, CreatedAt: httpkit.NewTimestamp(n.At),
	}
}

func (a *API) listNotes(ctx context.Context, in *struct {
	OrderPath
	httpkit.Page
}) (*listOutput[noteView], error) {
	id, err := payment.ParseOrderID(in.ID)
	if err != nil {
		return nil, err
	}
	notes, next, err := a.Books.Notes.ListNotes(ctx, storeOf(ctx), id, pageOf(in.Page))
	if err != nil {
		return nil, unlisted(err)
	}
	return listed(notes, next, func(n payment.Note) noteView { return viewNote(id, n) }), nil
}

func (a *API) addNote(ctx context.Context, in *struct {
	OrderPath
	Body noteBody
}) (*noteOutput, error) {
	id, err := payment.ParseOrderID(in.ID)
	if err != nil {
		return nil, err
	}
	note, err := a.Books.Notes.AddNote(ctx, storeOf(ctx), id, payment.Note{
		Author: callerOf(ctx).key.Name, Text: string(in.Body.Text), DisplayToCustomer: in.Body.DisplayToCustomer, At: a.Now(),
	}, a.by(ctx))
	if err != nil {
		return nil, err
	}
	return &noteOutput{Body: viewNote(id, note)}, nil
}
