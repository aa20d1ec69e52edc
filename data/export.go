package data

import (
	"encoding/json"
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"

	"glimpse/internal/atomicfile"
)

// ExportedSplit describes the file of a split. Its JSON is a stable interface.
type ExportedSplit struct {
	Split    string `json:"split"`
	File     string `json:"file"`
	Images   int    `json:"images"`
	Captions int    `json:"captions"`
}

// exportedCaptions is what Export writes of a split, in COCO's format.
type exportedCaptions struct {
	Images      []exportedImage   `json:"images"`
	Annotations []exportedCaption `json:"annotations"`
}

type exportedImage struct {
	ID   string `json:"id"`
	File string `json:"file_name"`
}

type exportedCaption struct {
	ID      int    `json:"id"`
	Image   string `json:"image_id"`
	Caption string `json:"caption"`
}

// Export writes the captions of each split into a folder, as captions_SPLIT.json in COCO's
// format, and draws the scenes of shapes into its subfolder images. Picture files are not copied,
// only named. On an error it returns the splits written before it.
func (d *Dataset) Export(dir string) ([]ExportedSplit, error) {
	done := []ExportedSplit{}
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
		references := exportedCaptions{}
		for _, i := range d.Splits[split] {
			image := d.Images[i]
			name := filepath.Base(image.Path)
			if d.Name == "folder" { // names may repeat in other folders
				name = filepath.ToSlash(d.below(image.Path))
			}
			if image.Path == "" {
				name = image.ID + ".png"
				if err := d.exportPicture(i, filepath.Join(pictures, name)); err != nil {
					return done, err
				}
			}
			references.Images = append(references.Images, exportedImage{ID: image.ID, File: name})
			for _, caption := range image.Captions() {
				references.Annotations = append(references.Annotations, exportedCaption{len(references.Annotations) + 1, image.ID, caption})
			}
		}
		e := ExportedSplit{split, filepath.Join(dir, "captions_"+split+".json"), len(references.Images), len(references.Annotations)}
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

// exportPicture draws a scene into a file. It does not flush: there are thousands, and they can
// be drawn again.
func (d *Dataset) exportPicture(i int, path string) error {
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
