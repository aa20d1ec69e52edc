package data

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// checkCorpus says what no parser may let through.
func checkCorpus(t *testing.T, c *corpus, err error) {
	t.Helper()
	if err != nil {
		if fault := (Error{}); !errors.As(err, &fault) || fault.Line < 0 || fault.Msg == "" {
			t.Errorf("%v names no place", err)
		}
		return
	}
	for _, e := range c.images {
		if !filepath.IsLocal(e.name) || e.id == "" {
			t.Errorf("image %+v", e)
		}
		for _, r := range e.captions {
			if r.text != strings.TrimSpace(r.text) || r.text == "" || len(r.text) > maxCaption || r.line < 1 {
				t.Errorf("caption %+v", r)
			}
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("image,caption\na.jpg,A dog.\na.jpg,\"A dog, running.\"\n")
	f.Add("\ufeffimage,caption\r\na.jpg,\"A \"\"dog\"\"\"\r\n")
	f.Add("image,caption\na.jpg,\"A dog\n\n../b.jpg,x\n")
	f.Fuzz(func(t *testing.T, s string) {
		c := new(corpus)
		text, err := cleanText("f", []byte(s))
		if err == nil {
			err = c.parseCSV("f", text)
			c.dropRepeats()
		}
		checkCorpus(t, c, err)
	})
}

func FuzzTokens(f *testing.F) {
	f.Add("a.jpg#0\tA dog .\na.jpg#1\tA cat .\n")
	f.Add(absentPicture + ".1#0\tpeople\n#\t\n")
	f.Add("a.jpg#0\tA\r\na.jpg#0\tA\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		c := new(corpus)
		text, err := cleanText("f", []byte(s))
		if err == nil {
			err = c.parseTokens("f", text)
		}
		checkCorpus(t, c, err)
	})
}

func FuzzJSON(f *testing.F) {
	f.Add(karpathyFile)
	f.Add(cocoFile(1, 2))
	f.Add(`{"images":[{"id":1,"file_name":"a/b.jpg"}],"annotations":[{"image_id":1,"caption":"x"}]`)
	f.Add(`{"images":[[[[[[`)
	f.Fuzz(func(t *testing.T, s string) {
		text, err := cleanText("f", []byte(s))
		if err != nil {
			return
		}
		c := new(corpus)
		checkCorpus(t, c, c.parseKarpathy("f", text))
		c = new(corpus)
		checkCorpus(t, c, c.parseCOCO("captions_f.json", text, "train"))
	})
}

func FuzzHashes(f *testing.F) {
	f.Add([]byte(hashesHead + "00000000\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) { parseHashes(text) })
}
