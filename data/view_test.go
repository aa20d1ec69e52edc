package data

import (
	"image"
	"slices"
	"testing"
)

func TestViews(t *testing.T) {
	for _, c := range []struct {
		flip  bool
		crops int
		want  []string
	}{
		{false, 0, []string{"plain"}},
		{true, 0, []string{"plain", "mirrored"}},
		{false, 2, []string{"plain", "crop 1", "crop 2"}},
		{true, 1, []string{"plain", "mirrored", "crop 1", "crop 1 mirrored"}},
	} {
		var got []string
		for _, v := range Views(c.flip, c.crops) {
			got = append(got, v.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("flip %v, %d crops: %q, want %q", c.flip, c.crops, got, c.want)
		}
	}
}

// Views are drawn about alike, and anew for another seed, epoch or image.
func TestDrawView(t *testing.T) {
	const n, images = 4, 4000
	draw := func(seed int64, epoch int) []int {
		drawn := make([]int, images)
		for i := range drawn {
			drawn[i] = DrawView(n, seed, epoch, i)
		}
		return drawn
	}
	first, times := draw(1, 2), make([]int, n)
	for _, v := range first {
		times[v]++
	}
	for v, k := range times {
		if k < 850 || k > 1150 { // 5 standard errors about 1000
			t.Errorf("view %d was drawn %d times of %d", v, k, images)
		}
	}
	if !slices.Equal(first, draw(1, 2)) {
		t.Error("an epoch that is taken again sees other views")
	}
	for _, other := range [][]int{draw(2, 2), draw(1, 3)} {
		same := 0
		for i := range other {
			if other[i] == first[i] {
				same++
			}
		}
		if same < 850 || same > 1150 {
			t.Errorf("another seed or epoch sees the same view of %d of %d images", same, images)
		}
	}
}

// A crop lies within its picture, and has its share of it at least.
func TestDrawCrop(t *testing.T) {
	least, most := 1.0, 0.0
	for k := 1; k <= 2000; k++ {
		c := drawCrop([hashBytes]byte{1, 2, 3}, k)
		if c.left < 0 || c.top < 0 || c.left+c.width > 1 || c.top+c.height > 1 {
			t.Fatalf("crop %d is %+v: it leaves the picture", k, c)
		}
		least, most = min(least, c.width*c.height), max(most, c.width*c.height)
		for _, bounds := range []image.Rectangle{image.Rect(0, 0, 1, 1), image.Rect(3, 5, 503, 380), image.Rect(0, 0, 100, 1)} {
			if part := c.of(bounds); part.Empty() || !part.In(bounds) {
				t.Fatalf("crop %d of %v is %v", k, bounds, part)
			}
		}
	}
	if least < leastCrop || least > 0.72 || most < 0.95 {
		t.Errorf("crops have %.3f to %.3f of the area, want about %v to 1", least, most, leastCrop)
	}
	if drawCrop([hashBytes]byte{1}, 1) == drawCrop([hashBytes]byte{2}, 1) {
		t.Error("two pictures have the same crop")
	}
}

// A mirrored view is the other from right to left; a crop is a part of the picture at the size
// that is asked for.
func TestViewPixels(t *testing.T) {
	const size = 24
	drawn := smallShapes(t, 10)
	files := &Dataset{Images: []Image{{ID: "a", Path: "testdata/pictures/baseline.jpg"}}}
	for name, d := range map[string]*Dataset{"drawn scenes": drawn, "files": files} {
		t.Run(name, func(t *testing.T) {
			pixels := func(v View) []uint8 {
				rgb, err := d.ViewPixels(0, size, v)
				if err != nil || len(rgb) != 3*size*size {
					t.Fatalf("%s: %d bytes, %v", v, len(rgb), err)
				}
				return rgb
			}
			plain, err := d.Pixels(0, size)
			if err != nil || !slices.Equal(plain, pixels(View{})) {
				t.Errorf("the plain view differs from the picture (%v)", err)
			}
			for _, crop := range []int{0, 1, 2} {
				straight, turned := pixels(View{Crop: crop}), pixels(View{Crop: crop, Mirrored: true})
				if crop > 0 && slices.Equal(straight, plain) {
					t.Errorf("crop %d is the whole picture", crop)
				}
				for i := range size * size {
					y, x := i/size, i%size
					j := y*size + size - 1 - x
					if !slices.Equal(straight[3*i:3*i+3], turned[3*j:3*j+3]) {
						t.Fatalf("crop %d: row %d, column %d is not mirrored", crop, y, x)
					}
				}
			}
			if slices.Equal(pixels(View{Crop: 1}), pixels(View{Crop: 2})) {
				t.Error("crops 1 and 2 are the same")
			}
			for _, v := range []View{{Crop: -1}, {Crop: 1}} {
				if _, err := d.ViewPixels(len(d.Images), size, v); err == nil {
					t.Errorf("%s of an image that is not there is no error", v)
				}
			}
		})
	}
}

// What a view shows is a key of its own; that of the plain view is what it was before there were
// others.
func TestFeaturesOfViews(t *testing.T) {
	d, dir := smallShapes(t, 40), t.TempDir()
	plain := openSmall(t, dir, d)
	if want := "237130bcf388153878d12e45ecd2b9200c03b26cedb69777d8115ec53046c545"; plain.Hash() != want {
		t.Errorf("the plain view has the hash %s, want %s", plain.Hash(), want)
	}
	put(t, plain, plain.Missing()...)
	seen := map[string]bool{plain.Hash(): true}
	for _, v := range Views(true, 2)[1:] {
		f, err := OpenFeatures(Cache{Dir: dir}, smallSpec.WithView(v), d)
		if err != nil {
			t.Fatal(err)
		}
		if seen[f.Hash()] {
			t.Errorf("%s: the hash is that of another view", v)
		}
		seen[f.Hash()] = true
		if missing := f.Missing(); !slices.Equal(missing, slices.Sorted(slices.Values(d.Splits["train"]))) {
			t.Errorf("%s: images %v are missing, want those of the training split", v, missing)
		}
		put(t, f, f.Missing()...)
		if again := openSmall(t, dir, d); len(again.Missing()) != 0 {
			t.Errorf("%s: the plain view has lost rows", v)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenFeatures(Cache{Dir: dir}, smallSpec.WithView(View{Crop: -1}), d); err == nil {
		t.Error("crop -1 is no error")
	}
}
