package data

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Five pictures of each public data set by their names: three train, one validates, one tests.
var (
	eightNames  = []string{"1000268201_693b08cb0e.jpg", "1001773457_577c3a7d70.jpg", "1002674143_1b742ab4b8.jpg", "1003163366_44323f5815.jpg", "1007129816_e794419615.jpg"}
	thirtyNames = []string{"1000092795.jpg", "10002456.jpg", "1000268201.jpg", "2199200615.jpg", "36979.jpg"}
	oldNames    = []string{"COCO_train2014_000000000009.jpg", "COCO_train2014_000000000025.jpg", "COCO_train2014_000000000030.jpg", "COCO_val2014_000000000042.jpg", "COCO_val2014_000000000073.jpg"}
	newNames    = []string{"000000000009.jpg", "000000000025.jpg", "000000000030.jpg", "000000000042.jpg", "000000000073.jpg"}
	fiveSplits  = []string{"train", "train", "train", "val", "test"}
)

// files are texts by their paths.
type files map[string]string

// with adds more files.
func (f files) with(more ...files) files {
	all := maps.Clone(f)
	for _, m := range more {
		maps.Copy(all, m)
	}
	return all
}

// captionOf is caption k of image i, with a comma.
func captionOf(i, k int) string { return fmt.Sprintf("A dog, number %d of many %d .", k, i) }

// rows writes a row for each of the five captions of each name.
func rows(header, format string, names []string) string {
	out := header
	for i, name := range names {
		for k := range 5 {
			out += strings.NewReplacer("NAME", name, "K", fmt.Sprint(k), "TEXT", captionOf(i, k)).Replace(format) + "\n"
		}
	}
	return out
}

func listsOf(paths [3]string, names []string) files {
	return files{paths[0]: strings.Join(names[:3], "\n") + "\n", paths[1]: names[3] + "\n", paths[2]: names[4]}
}

// karpathyOfFive writes a dataset_*.json; with folders, COCO's filepath is in it.
func karpathyOfFive(names []string, folders bool) string {
	var images []string
	for i, name := range names {
		var sentences []string
		for k := range 5 {
			sentences = append(sentences, fmt.Sprintf(`{"tokens": ["a"], "raw": %q, "imgid": %d, "sentid": %d}`, captionOf(i, k), i, 5*i+k))
		}
		folder := ""
		if folders {
			folder = fmt.Sprintf(`"filepath": %q, `, strings.Split(name, "_")[1])
		}
		images = append(images, fmt.Sprintf(`{%s"sentids": [0], "imgid": %d, "sentences": [%s], "split": %q, "filename": %q}`,
			folder, i, strings.Join(sentences, ", "), fiveSplits[i], name))
	}
	return `{"images": [` + strings.Join(images, ", ") + `], "dataset": "x"}`
}

// cocoOf writes a captions_*.json in one line, as COCO does.
func cocoOf(names []string, first int) string {
	var images, captions []string
	for i, name := range names {
		number, _ := cocoNumber(strings.TrimSuffix(name, ".jpg"))
		id := strings.TrimLeft(number, "0")
		images = append(images, fmt.Sprintf(`{"license": 1, "file_name": %q, "height": 8, "width": 8, "id": %s}`, name, id))
		for k := range 5 {
			captions = append(captions, fmt.Sprintf(`{"image_id": %s, "id": %d, "caption": %q}`, id, 100*i+k, captionOf(first+i, k)))
		}
	}
	return `{"info": {}, "images": [` + strings.Join(images, ", ") + `], "licenses": [], "annotations": [` + strings.Join(captions, ", ") + `]}`
}

var (
	eightLists  = listsOf([3]string{"Flickr_8k.trainImages.txt", "Flickr_8k.devImages.txt", "Flickr_8k.testImages.txt"}, eightNames)
	thirtyLists = listsOf([3]string{"train.txt", "val.txt", "test.txt"}, []string{"1000092795", "10002456", "1000268201", "2199200615", "36979"})
	eightCSV    = files{"captions.txt": rows("image,caption\n", `NAME,"TEXT"`, eightNames)}
	eightTokens = files{"Flickr8k.token.txt": rows("", "NAME#K\tTEXT", eightNames)}
	eightJSON   = files{"dataset_flickr8k.json": karpathyOfFive(eightNames, false)}
	thirtyToken = files{"results_20130124.token": rows("", "NAME#K\tTEXT", thirtyNames)}
	thirtyPiped = files{"results.csv": rows("image_name| comment_number| comment\n", "NAME| K| TEXT", thirtyNames)}
	thirtyCSV   = files{"captions.txt": rows("image_name,comment_number,comment\n", `NAME,K,"TEXT"`, thirtyNames)}
	thirtyJSON  = files{"dataset_flickr30k.json": karpathyOfFive(thirtyNames, false)}
	cocoOld     = files{"annotations/captions_train2014.json": cocoOf(oldNames[:3], 0), "annotations/captions_val2014.json": cocoOf(oldNames[3:], 3)}
	cocoNew     = files{"annotations/captions_train2017.json": cocoOf(newNames[:3], 0), "annotations/captions_val2017.json": cocoOf(newNames[3:], 3)}
	cocoJSON    = files{"dataset_coco.json": karpathyOfFive(oldNames, true)}
)

// laidOut writes a data set with its pictures, each below a folder, or in folders of COCO's year.
func laidOut(t *testing.T, texts files, folder string, names []string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range texts {
		writeFile(t, filepath.Join(root, name), text)
	}
	for i, name := range names {
		in := folder
		if strings.HasPrefix(folder, "20") {
			in = map[bool]string{true: "train", false: "val"}[i < 3] + folder
		}
		writePNG(t, filepath.Join(root, in, name), uint8(i))
	}
	return root
}

// Each public layout is recognised and named, and gives the same captions and splits.
func TestLayouts(t *testing.T) {
	const (
		noEight  = "data.split official needs Flickr_8k.trainImages.txt, Flickr_8k.devImages.txt, Flickr_8k.testImages.txt, from Flickr8k_text.zip"
		noThirty = "data.split official needs train.txt, val.txt, test.txt, from Flickr30k Entities"
		noJSON   = "data.split karpathy needs dataset_%s.json, from caption_datasets.zip of Karpathy and Fei-Fei (2015)"
	)
	without := func(set string) string { return fmt.Sprintf(noJSON, set) }
	for _, c := range []struct {
		name, folder string
		texts        files
		pictures     []string
		want         Layout
	}{
		{"Flickr8k by Kaggle", "Images", eightCSV, eightNames,
			Layout{"flickr8k", "Flickr8k in Kaggle's layout", []string{"captions.txt"}, nil, []string{noEight, without("flickr8k")}}},
		{"Flickr8k by Kaggle with the lists", "images", eightCSV.with(eightLists), eightNames,
			Layout{"flickr8k", "Flickr8k in Kaggle's layout", []string{"captions.txt"}, []string{"official"}, []string{without("flickr8k")}}},
		{"Flickr8k", "Flicker8k_Dataset", eightTokens.with(eightLists), eightNames,
			Layout{"flickr8k", "Flickr8k in its original layout", []string{"Flickr8k.token.txt"}, []string{"official"}, []string{without("flickr8k")}}},
		{"Flickr8k with all of Karpathy's files", "Flickr8k_Dataset", eightTokens.with(eightJSON, thirtyJSON, cocoJSON), eightNames,
			Layout{"flickr8k", "Flickr8k in its original layout", []string{"Flickr8k.token.txt"}, []string{"karpathy"}, []string{noEight}}},
		{"Flickr8k by Karpathy alone", "Images", eightJSON, eightNames,
			Layout{"flickr8k", "Flickr8k in Karpathy JSON", []string{"dataset_flickr8k.json"}, []string{"karpathy"}, nil}},
		{"Flickr30k", "flickr30k-images", thirtyToken.with(thirtyLists), thirtyNames,
			Layout{"flickr30k", "Flickr30k in its original layout", []string{"results_20130124.token"}, []string{"official"}, []string{without("flickr30k")}}},
		{"Flickr30k by Kaggle", "flickr30k_images", thirtyPiped.with(thirtyJSON), thirtyNames,
			Layout{"flickr30k", "Flickr30k in Kaggle's layout", []string{"results.csv"}, []string{"karpathy"}, []string{noThirty}}},
		{"Flickr30k by Kaggle, with commas", "Images", thirtyCSV.with(thirtyLists, thirtyJSON), thirtyNames,
			Layout{"flickr30k", "Flickr30k in Kaggle's layout", []string{"captions.txt"}, []string{"official", "karpathy"}, nil}},
		{"Flickr30k by Karpathy alone", "flickr30k-images", thirtyJSON, thirtyNames,
			Layout{"flickr30k", "Flickr30k in Karpathy JSON", []string{"dataset_flickr30k.json"}, []string{"karpathy"}, nil}},
		{"COCO 2014", "2014", cocoOld.with(cocoJSON), oldNames,
			Layout{"coco", "COCO 2014", []string{"annotations/captions_train2014.json", "annotations/captions_val2014.json"}, []string{"official", "karpathy"}, nil}},
		{"COCO 2017", "2017", cocoNew, newNames,
			Layout{"coco", "COCO 2017", []string{"annotations/captions_train2017.json", "annotations/captions_val2017.json"}, []string{"official"}, []string{without("coco")}}},
		{"COCO by Karpathy", "2014", cocoJSON, oldNames,
			Layout{"coco", "COCO in Karpathy JSON", []string{"dataset_coco.json"}, []string{"karpathy"}, nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := laidOut(t, c.texts, c.folder, c.pictures)
			got, found := Recognize(root)
			if !found || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			for _, split := range []string{"official", "karpathy"} {
				d, err := Load(Options{Name: c.want.Name, Split: split, Root: root, MinCount: 1, Tokenize: plainWords})
				if works := slices.Contains(c.want.Splits, split); works != (err == nil) {
					t.Fatalf("split %s: %v", split, err)
				} else if !works {
					continue
				}
				for i, name := range fiveSplits {
					image := d.Images[d.Splits[name][min(i, len(d.Splits[name])-1)]]
					if filepath.Base(image.Path) != c.pictures[i] || image.Captions()[4] != captionOf(i, 4) || len(image.Captions()) != 5 {
						t.Errorf("split %s, image %d is %s: %q", split, i, image.Path, image.Captions())
					}
				}
			}
		})
	}
}

// Captions that anybody may have are no public data set's, whatever their file is called.
func TestLayoutsOfOthers(t *testing.T) {
	mine := []string{"dog.jpg", "cat.jpg", "cow.jpg", "a.jpg", "b.jpg"}
	above := laidOut(t, cocoJSON, "mine", mine)
	for _, root := range []string{
		laidOut(t, files{"captions.txt": rows("image,caption\n", `NAME,"TEXT"`, mine)}, "Images", mine),
		laidOut(t, files{"results.csv": "run,score\n1,2\n"}, ".", mine),
		laidOut(t, files{"dataset_mine.json": karpathyOfFive(mine, false)}, "images", mine),
		laidOut(t, files{"captions.txt/file": "", "annotations": ""}, "Images", mine),
		filepath.Join(above, "mine"), // the JSON above it is of another data set
		filepath.Join(above, "nowhere"),
	} {
		if l, found := Recognize(root); found {
			t.Errorf("%s is taken for %+v", root, l)
		}
	}
}

// What was mixed up is told as that, and what would work.
func TestMixUps(t *testing.T) {
	for _, c := range []struct {
		name, folder string
		texts        files
		pictures     []string
		data, split  string
		want         string
	}{
		{"COCO 2014's JSON beside pictures of 2017", "2017", cocoOld, newNames, "coco", "official",
			"; the captions are from COCO 2014, but train2017 contains the pictures of COCO 2017, the same pictures under other names (000000000009.jpg): get captions and pictures of one year"},
		{"Karpathy's COCO beside pictures of 2017", "2017", cocoJSON, newNames, "coco", "karpathy",
			"; the captions are from COCO 2014, but train2017 contains the pictures of COCO 2017"},
		{"2017's JSON beside pictures of 2014", "2014", cocoNew, oldNames, "coco", "official",
			"; the captions are from COCO 2017, but train2014 contains the pictures of COCO 2014"},
		{"training of 2017, validation of 2014", "2017", files{
			"captions_train2017.json": cocoOf(newNames, 0), "captions_val2014.json": cocoOf(oldNames[3:], 3)}, newNames, "coco", "official",
			`"COCO_val2014_000000000042.jpg" is the same picture as "000000000042.jpg" of COCO's other year, at `},
		{"Flickr30k's JSON beside Flickr8k's pictures", "Images", thirtyJSON, eightNames, "flickr30k", "karpathy",
			"; the captions are from Flickr30k, but Images contains the pictures of Flickr8k (1000268201_693b08cb0e.jpg): use files of one data set"},
		{"Flickr8k's captions, Flickr30k's split", "Images", eightCSV.with(thirtyJSON), eightNames, "flickr8k", "karpathy",
			"the captions are from Flickr8k but the split is from Flickr30k: use files of one data set"},
		{"flickr8k on COCO", "2014", cocoOld, oldNames, "flickr8k", "official",
			"no captions.txt or Flickr8k.token.txt here; unpack Flickr8k here, or set data.root to its folder; this is COCO 2014; to read it, set data: {name: coco, split: official}"},
		{"flickr8k on Flickr30k", "flickr30k-images", thirtyToken.with(thirtyJSON), thirtyNames, "flickr8k", "official",
			"; this is Flickr30k in its original layout; to read it, set data: {name: flickr30k, split: karpathy}"},
		{"flickr8k on Flickr30k's captions.txt", "Images", thirtyCSV.with(thirtyJSON), thirtyNames, "flickr8k", "official",
			"; this is Flickr30k in Kaggle's layout; to read it, set data: {name: flickr30k, split: karpathy}"},
		{"flickr30k on Flickr8k", "Images", eightTokens.with(eightLists), eightNames, "flickr30k", "official",
			"; this is Flickr8k in its original layout; to read it, set data: {name: flickr8k, split: official}"},
		{"coco on Flickr8k", "Images", eightCSV.with(eightLists), eightNames, "coco", "karpathy",
			"; this is Flickr8k in Kaggle's layout; to read it, set data: {name: flickr8k, split: official}"},
		{"coco's other split", "2014", cocoJSON, oldNames, "coco", "official",
			"; this is COCO in Karpathy JSON; data.split: karpathy would work"},
		{"coco's other split", "2014", cocoOld, oldNames, "coco", "karpathy",
			"no dataset_*.json here, but data.split karpathy needs it; get caption_datasets.zip of Karpathy and Fei-Fei (2015) and put dataset_coco.json here; this is COCO 2014; data.split: official would work"},
		{"no lists beside Karpathy JSON", "Images", eightCSV.with(eightJSON), eightNames, "flickr8k", "official",
			"Flickr_8k.trainImages.txt: is missing, but data.split official needs it; get it from Flickr8k_text.zip; this is Flickr8k in Kaggle's layout; data.split: karpathy would work"},
		{"no lists", "Images", eightCSV, eightNames, "flickr8k", "official",
			"get it from Flickr8k_text.zip; this is Flickr8k in Kaggle's layout, but data.split official needs Flickr_8k.trainImages.txt, Flickr_8k.devImages.txt, Flickr_8k.testImages.txt, from Flickr8k_text.zip; " +
				"data.split karpathy needs dataset_flickr8k.json, from caption_datasets.zip of Karpathy and Fei-Fei (2015)"},
		{"a folder too high", "flickr30k_images/flickr30k_images", files{"flickr30k_images/results.csv": thirtyPiped["results.csv"]}, thirtyNames, "flickr30k", "official",
			"; its subfolder flickr30k_images is Flickr30k in Kaggle's layout: set data.root to it?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := laidOut(t, c.texts, c.folder, c.pictures)
			_, err := Load(Options{Name: c.data, Split: c.split, Root: root, MinCount: 1, Tokenize: plainWords})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	root := laidOut(t, thirtyJSON, "flickr30k-images", thirtyNames)
	d, err := Load(Options{Name: "coco", Split: "karpathy", Root: root, MinCount: 1, Tokenize: plainWords})
	if want := "pictures have Flickr30k names, but data.name is coco: read anyway"; err != nil || len(d.Notes) != 1 || d.Notes[0].Reason != want {
		t.Errorf("%v, notes %+v", err, d)
	}
	for _, c := range []struct {
		root, want string
	}{
		{laidOut(t, cocoOld.with(cocoJSON), "2017", newNames), "[the pictures of COCO 2014: val2017 contains those of COCO 2017]"},
		{laidOut(t, cocoOld.with(cocoJSON), "2014", nil), "[the pictures]"},
	} {
		if l, found := Recognize(c.root); !found || fmt.Sprint(l.Missing) != c.want {
			t.Errorf("%v %+v\nwant %s", found, l, c.want)
		}
	}
}
