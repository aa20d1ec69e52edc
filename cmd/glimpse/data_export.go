package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/internal/atomicfile"
	"glimpse/internal/cli"
	"glimpse/internal/term"
)

func dataExportCommand() *cobra.Command {
	var (
		flags  cli.StudyFlags
		split  string
		dir    string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "export SPEC|NAME -o DIR",
		Short: "Write a data set's captions in COCO's format, and drawn scenes as pictures",
		Long: `Writes captions_train.json, captions_val.json and captions_test.json in COCO's
format, as glimpse score takes references, for the data set of a study or the one
of that name. The scenes of shapes are drawn as PNG into the folder images, so
that other programs can caption them, or read them as the data set coco; pictures
that are files stay where they are.`,
		Example: `  glimpse data export experiments/demo.yaml -o scenes
  glimpse data export flickr8k --data /data/flickr8k -o references
  glimpse score --references scenes/captions_test.json --candidates captions.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if dir == "" {
				return cli.Usage(errors.New("-o DIR is needed: the folder to write into"))
			}
			options, err := dataOptions(args[0], split, flags)
			if err != nil {
				return err
			}
			d, err := data.Load(options)
			if err != nil {
				return err
			}
			files, err := exportData(d, dir)
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), files)
			}
			for _, f := range files {
				fmt.Fprintf(c.OutOrStdout(), "%s: %s, %s\n", f.File, term.Plural(f.Images, "image"), term.Plural(f.Captions, "caption"))
			}
			return nil
		},
	}
	flags.Add(c)
	c.Flags().StringVarP(&dir, "output", "o", "", "folder to write into; made if it is missing (required)")
	c.Flags().StringVar(&split, "split", "", "with a NAME: official, karpathy or seed")
	cli.AddJSON(c, &asJSON)
	return c
}

// exportedSplit is a line of `data export`; as JSON, a contract.
type exportedSplit struct {
	Split    string `json:"split"`
	File     string `json:"file"`
	Images   int    `json:"images"`
	Captions int    `json:"captions"`
}

// cocoReferences is COCO's format of captions.
type cocoReferences struct {
	Images      []cocoImage     `json:"images"`
	Annotations []cocoReference `json:"annotations"`
}

type cocoImage struct {
	ID   string `json:"id"`
	File string `json:"file_name"`
}

type cocoReference struct {
	ID      int    `json:"id"`
	Image   string `json:"image_id"`
	Caption string `json:"caption"`
}

// exportData writes the splits of a data set into a folder.
func exportData(d *data.Dataset, dir string) ([]exportedSplit, error) {
	done := []exportedSplit{}
	pictures, folder := filepath.Join(dir, "images"), dir
	if d.Name == "shapes" {
		folder = pictures
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return done, err
	}
	for _, split := range []string{"train", "val", "test"} {
		if len(d.Splits[split]) == 0 {
			continue
		}
		references := cocoReferences{}
		for _, i := range d.Splits[split] {
			image := d.Images[i]
			name := filepath.Base(image.Path)
			if image.Path == "" {
				name = image.ID + ".png"
				if err := exportPicture(d, i, filepath.Join(pictures, name)); err != nil {
					return done, err
				}
			}
			references.Images = append(references.Images, cocoImage{ID: image.ID, File: name})
			for _, caption := range image.Captions {
				references.Annotations = append(references.Annotations, cocoReference{len(references.Annotations) + 1, image.ID, caption})
			}
		}
		e := exportedSplit{split, filepath.Join(dir, "captions_"+split+".json"), len(references.Images), len(references.Annotations)}
		err := atomicfile.Write(e.File, func(w io.Writer) error {
			out := json.NewEncoder(w)
			out.SetIndent("", " ")
			return out.Encode(references)
		})
		if err != nil {
			return done, err
		}
		done = append(done, e)
	}
	return done, nil
}

// exportPicture draws a scene into a file. Not flushed: there are thousands, and they can be drawn again.
func exportPicture(d *data.Dataset, i int, path string) error {
	picture, err := d.Picture(i)
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	return errors.Join(encoder.Encode(file, picture), file.Close())
}
