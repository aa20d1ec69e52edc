package metrics

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"glimpse/metrics/meteor"
	"glimpse/metrics/ptb"
)

// flickr8k reads the captions of Flickr8k from $GLIMPSE_DATA, as five token lists per
// image.
func flickr8k(t *testing.T) [][][]string {
	t.Helper()
	root := os.Getenv("GLIMPSE_DATA")
	if root == "" {
		t.Skip("no Flickr8k: set GLIMPSE_DATA")
	}
	file, err := os.Open(filepath.Join(root, "captions.txt"))
	if err != nil {
		t.Skipf("no Flickr8k: %v", err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var images [][][]string
	last := ""
	for _, row := range rows[1:] {
		if row[0] != last {
			last = row[0]
			images = append(images, nil)
		}
		images[len(images)-1] = append(images[len(images)-1], ptb.Tokenize(row[1]))
	}
	return images
}

// People agree with one another: scored against the other four captions of an image,
// one of its captions beats a caption of another image for almost every image.
func TestFlickr8kAgreement(t *testing.T) {
	images := flickr8k(t)
	rng := rand.New(rand.NewPCG(8, 0))
	var own, other []Item
	for i, captions := range images {
		id := strconv.Itoa(i)
		stranger := (i + 1 + rng.IntN(len(images)-1)) % len(images)
		own = append(own, Item{ID: id, Candidate: captions[0], References: captions[1:]})
		other = append(other, Item{ID: id, Candidate: images[stranger][0], References: captions[1:]})
	}
	s := &Scorer{}
	if path := os.Getenv("GLIMPSE_METEOR"); path != "" {
		m, err := meteor.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		s.Meteor = m
	}
	a, err := s.Score(own)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Score(other)
	if err != nil {
		t.Fatal(err)
	}
	byCIDEr, byMETEOR := 0, 0
	for i := range a.Images {
		x, y := a.Images[i], b.Images[i]
		for _, v := range []float64{x.RougeL, x.CIDEr, x.CIDErD, x.METEOR, SentenceBLEU(x)[3]} {
			if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
				t.Fatalf("image %d: %+v", i, x)
			}
		}
		if x.CIDEr > y.CIDEr {
			byCIDEr++
		}
		if x.METEOR > y.METEOR {
			byMETEOR++
		}
	}
	n := float64(len(images))
	t.Logf("own caption beats a random one: CIDEr %.2f %%, %s %.2f %%", 100*float64(byCIDEr)/n, s.MeteorKey(), 100*float64(byMETEOR)/n)
	if float64(byCIDEr) < 0.95*n || float64(byMETEOR) < 0.95*n {
		t.Errorf("of %v images, own caption beats a random one in %d by CIDEr and %d by METEOR; want 95 %%", n, byCIDEr, byMETEOR)
	}
}
