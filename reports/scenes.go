package reports

import (
	"encoding/base64"
	"html/template"
)

// A Scene is a picture that is nobody's, with its reference captions.
type Scene struct {
	JPEG          []byte
	Width, Height int // pixels
	References    []string
}

// Scenes gives the scene of an image, by the name that captions have for it.
type Scenes func(image string) (Scene, error)

// mostScenes is how many scenes a page holds.
const mostScenes = 240

// url is the scene as a URL that holds all of it.
func (s Scene) url() string {
	return "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(s.JPEG)
}

// scene is the scene of an image, and whether there is one. An error is kept for the end.
func (r *result) scene(image string) (Scene, bool) {
	if r.Scenes == nil || r.failed != nil {
		return Scene{}, false
	}
	scene, err := r.Scenes(image)
	if err != nil {
		r.failed = err
		return Scene{}, false
	}
	return scene, true
}

// sceneURL is the scene of an image for an element of the page, "" where there is none.
func (r *result) sceneURL(image string) template.URL {
	if scene, ok := r.scene(image); ok {
		return template.URL(scene.url())
	}
	return ""
}
