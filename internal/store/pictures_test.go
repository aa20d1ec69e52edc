package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestIllustrationReplacesTheOneBefore(t *testing.T) {
	db, ctx := open(t), context.Background()
	claim := claimed(t, db)
	run, err := db.Run(ctx, claim.Run)
	if err != nil {
		t.Fatal(err)
	}
	some := func(dataset string, n int) Illustration {
		var kept Illustration
		for i := range n {
			kept.Pictures = append(kept.Pictures, Picture{fmt.Sprintf("%s%d.jpg", dataset, n-i), dataset, 4, 3, []byte{0xff, byte(i), 0}})
		}
		kept.Maps = []AttentionMap{{claim.Run, dataset + "1.jpg", 2, 0.25, 0.5, [][]float64{{0.1, 0.2, 0.3, 0.4}, {0, 0, 0, 1}}}}
		return kept
	}
	for _, want := range []Illustration{some("flickr8k", 3), some("flickr8k", MostPictures), some("", 2), {}, some("flickr8k", 12)} {
		if err := db.SaveIllustration(ctx, run.Study, want); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Illustration(ctx, run.Study); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	if err := db.SaveIllustration(ctx, run.Study, some("flickr8k", MostPictures+1)); err == nil || !strings.Contains(err.Error(), "too many to publish") {
		t.Errorf("21 pictures: %v", err)
	}
	if err := db.SaveIllustration(ctx, "nothing", some("", 1)); !errors.Is(err, ErrNotFound) {
		t.Errorf("pictures of no study: %v", err)
	}

	// The limit holds over the studies of one data set: the same pictures may be in several.
	if err := db.SaveStudy(ctx, Study{Name: "other"}, nil, Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	others := some("flickr8k", 9)
	others.Maps = nil
	for i := range others.Pictures {
		others.Pictures[i].Image = fmt.Sprint("new", i)
	}
	if err := db.SaveIllustration(ctx, "other", others); err == nil || !strings.Contains(err.Error(), "21 pictures of flickr8k") {
		t.Errorf("9 beside 12: %v", err)
	}
	others.Pictures[0].Image = "flickr8k1.jpg"
	if err := db.SaveIllustration(ctx, "other", others); err != nil {
		t.Errorf("20 in all: %v", err)
	}
	if got, err := db.Illustration(ctx, run.Study); err != nil || len(got.Pictures) != 12 {
		t.Errorf("the first study has %d pictures, %v", len(got.Pictures), err)
	}
}
