package data

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The last caption of 2199200615.jpg lacks its separator in both files that Kaggle has; read as a table, the second one has
// another, behind it.
func TestFlickr30kRows(t *testing.T) {
	const csv, piped = "image_name,comment_number,comment\n", "image_name| comment_number| comment\n"
	for _, c := range []struct {
		name, text string
		want       string // "" for none
	}{
		{"a row", piped + "a.jpg| 0| Two dogs , running .", "a.jpg #0 Two dogs , running .;"},
		{"bars, quotation marks", piped + "a.jpg| 0| A \"|\" , here|", "a.jpg #0 A \"|\" , here|;"},
		{"no spaces, Windows", "image_name|comment_number|comment\r\n\r\na.jpg|12|Dogs\r\n", "a.jpg #12 Dogs;"},
		{"the broken row", piped + "2199200615.jpg| 3| A dog .\n2199200615.jpg| 4   A dog runs across the grass .\n", "2199200615.jpg #3 A dog .;#4 A dog runs across the grass .; [f:3: missing separator between number and caption: added (1)]"},
		{"the broken row with commas", csv + "2199200615.jpg, 4   A dog runs across the grass .,\n", "2199200615.jpg #4 A dog runs across the grass .; [f:2: missing separator between number and caption: added (1)]"},
		{"commas", csv + "a.jpg, 0,\" Dogs , running .\"\n   \n\"b.jpg\",1,Cats\n", "a.jpg #0 Dogs , running .; b.jpg #1 Cats;"},
		{"empty", piped + "a.jpg| 0|\na.jpg| 1| Dogs", "a.jpg #1 Dogs; [f:2: caption is empty: left out (1)]"},
		{"twice", piped + "a.jpg| 1| Dogs\na.jpg| 1| Dogs", "a.jpg #1 Dogs; [f:3: duplicate row: left out (1)]"},
		{"one space", piped + "a.jpg| 4 dogs run .", "f:2: 2 fields, expected 3 (image_name| comment_number| comment)"},
		{"no number", piped + "a.jpg| A  dog .", "f:2: 2 fields, expected 3"},
		{"one field", piped + "a.jpg", "f:2: 1 field, expected 3"},
		{"number alone", piped + "a.jpg| 4", "f:2: 2 fields, expected 3"},
		{"a word for the number", piped + "a.jpg| x| Dogs", `f:2: comment_number of "a.jpg" is "x", not a number`},
		{"two captions", piped + "a.jpg| 4   Dogs | Cats", `f:2: comment_number of "a.jpg" is "4   Dogs", not a number`},
		{"twice with other words", piped + "a.jpg| 1| Dogs\na.jpg| 1| Cats", `f:3: caption #1 of "a.jpg" differs from the one on line 2`},
		{"a path", piped + "../a.jpg| 1| Dogs", `f:2: picture name "../a.jpg" is a path`},
		{"another header", "image| caption\n", `f:1: the first line is not "image_name| comment_number| comment": wrong file format?`},
		{"a field less", csv + "a.jpg,Dogs\n", "f:2: 2 fields, expected 3 (image_name,comment_number,comment)"},
		{"a word for the number, commas", csv + "a.jpg,x,Dogs\n", `f:2: comment_number of "a.jpg" is "x", not a number`},
	} {
		t.Run(c.name, func(t *testing.T) {
			parse := (*corpus).parsePiped
			if strings.HasPrefix(c.text, csv) {
				parse = (*corpus).parseCSV
			}
			found := new(corpus)
			got := ""
			if err := parse(found, "f", []byte(c.text)); err != nil {
				got = err.Error()
			} else {
				got = shown(found)
			}
			if got != c.want && !(strings.HasPrefix(c.want, "f:") && strings.HasPrefix(got, c.want)) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// shown writes a corpus in one line.
func shown(c *corpus) string {
	var out []string
	for _, e := range c.images {
		line := e.id + " "
		for _, r := range e.captions {
			line += strings.TrimSpace(r.key+" "+r.text) + ";"
		}
		out = append(out, line)
	}
	if len(c.notes.notes) > 0 {
		out = append(out, fmt.Sprint(c.notes.notes))
	}
	return strings.Join(out, " ")
}

// A caption is one line in every layout: tabs and what else breaks lines are spaces, save in CSV, where a line break is an
// unbalanced quotation mark and the rest is left as it is.
func TestCaptionsAreOneLine(t *testing.T) {
	const broken = "A\tdog\u2028and\u0085a\vcat ."
	const whole = "A dog and a cat ."
	escaped := strings.NewReplacer("\t", `\t`, "\u2028", `\u2028`, "\u0085", `\u0085`, "\v", `\u000b`, "a", `\n`).Replace("A\tdog\u2028\u0085\vcat .")
	for _, c := range []struct {
		name  string
		parse func(*corpus) error
		want  string
	}{
		{"tokens", func(c *corpus) error { return c.parseTokens("f", []byte("a.jpg#0\t"+broken+"\n")) }, whole},
		{"piped", func(c *corpus) error {
			return c.parsePiped("f", []byte("image_name| comment_number| comment\na.jpg| 0| "+broken+"\n"))
		}, whole},
		{"CSV", func(c *corpus) error { return c.parseCSV("f", []byte("image,caption\na.jpg,"+broken+"\n")) }, broken},
		{"numbered CSV", func(c *corpus) error {
			return c.parseCSV("f", []byte("image_name,comment_number,comment\na.jpg,0,"+broken+"\n"))
		}, broken},
		{"Karpathy", func(c *corpus) error {
			return c.parseKarpathy("f", []byte(`{"images": [{"filename": "a.jpg", "split": "train", "sentences": [{"raw": "`+escaped+`"}]}]}`))
		}, "A dog   c t ."},
		{"COCO", func(c *corpus) error {
			return c.parseCOCO("captions_train.json", []byte(`{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1, "caption": "`+escaped+`"}]}`), "train")
		}, "A dog   c t ."},
	} {
		found := new(corpus)
		if err := c.parse(found); err != nil || len(found.images) != 1 || len(found.images[0].captions) != 1 || found.images[0].captions[0].text != c.want {
			t.Errorf("%s: %v, %+v\nwant %q", c.name, err, found.images, c.want)
		}
	}
}

// Ids of COCO's images are strings or whole numbers of any size: 1, 1.0 and "1" are one image, and of two that differ beyond
// 2^53 each is its own.
func TestCOCOIDs(t *testing.T) {
	const text = `{"images": [{"id": 1.0, "file_name": "a.jpg"}, {"id": 9007199254740993, "file_name": "b.jpg"}, {"id": 9007199254740992, "file_name": "c.jpg"}],
		"annotations": [{"image_id": "1", "caption": "A"}, {"image_id": 9007199254740993.0, "caption": "B"}, {"image_id": 9007199254740992, "caption": "C"}]}`
	c := new(corpus)
	if err := c.parseCOCO("captions_train.json", []byte(text), "train"); err != nil || shown(c) != "a.jpg A; b.jpg B; c.jpg C;" {
		t.Errorf("%v: %s", err, shown(c))
	}
	for fault, image := range map[string]string{
		`the key "id" comes twice in one object`:      `{"id": 1, "id": 1, "file_name": "a.jpg"}`,
		"its ID is 1e3, not a string or a whole":      `{"id": 1e3, "file_name": "a.jpg"}`,
		"its ID is 1.5, not a string or a whole":      `{"id": 1.5, "file_name": "a.jpg"}`,
		`image "a.jpg" has no id`:                     `{"ID": 1, "file_name": "a.jpg"}`,
		"its ID is true, not a string or a whole num": `{"id": true, "file_name": "a.jpg"}`,
	} {
		err := new(corpus).parseCOCO("captions_train.json", []byte(`{"images": [`+image+`]}`), "train")
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v", image, err)
		}
	}
}

// A line of spaces in captions.txt is skipped as an empty one is, before the header too.
func TestBlankRows(t *testing.T) {
	c := new(corpus)
	if err := c.parseCSV("f", []byte(" \nimage,caption\n\n   \na.jpg,Dogs\n\t\n\"  \"\na.jpg,Cats\n ")); err != nil || shown(c) != "a.jpg Dogs;Cats;" {
		t.Errorf("%v: %s", err, shown(c))
	}
	if err := new(corpus).parseCSV("f", []byte("image,caption\n , \n")); err == nil || !strings.Contains(err.Error(), `f:2: picture name "" is empty`) {
		t.Error(err)
	}
}

// The names in lists may lack .jpg; a picture that is listed both ways is listed twice.
func TestListsOfIDs(t *testing.T) {
	root := laidOut(t, thirtyToken.with(thirtyLists, files{"val.txt": "2199200615.jpg\n"}), "flickr30k-images", thirtyNames)
	load := func() (*Dataset, error) {
		return Load(Options{Name: "flickr30k", Split: "official", Root: root, MinCount: 1, Tokenize: plainWords})
	}
	d, err := load()
	if err != nil || !slices.Equal(d.Splits["train"], []int{0, 1, 2}) || !slices.Equal(d.Splits["val"], []int{3}) || !slices.Equal(d.Splits["test"], []int{4}) {
		t.Fatalf("%v, %+v", err, d)
	}
	for text, want := range map[string]string{
		"36979\n2199200615": `"2199200615.jpg" is already in val.txt:1; an image belongs to one split`,
		"3697":              `test.txt:1: "3697" has no caption in `,
	} {
		writeFile(t, root+"/test.txt", text)
		if _, err := load(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}
