package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"glimpse/internal/crash"
	"glimpse/internal/store"
)

// An Album is the pictures of a data set with their reference captions, by the names that captions
// have for the images. Several goroutines use it at the same time.
type Album interface {
	// References are the captions of an image; nil for one that the data set lacks.
	References(image string) []string
	// Thumbnail is a picture as a JPEG, no side longer than most pixels.
	Thumbnail(image string, most int) ([]byte, error)
}

// Limits of albums: how many are open, how long a request waits for one, and after how long one
// that could not be opened is tried again; the longer side of a thumbnail, in pixels, how many are
// kept, and how many are made at once.
const (
	mostAlbums     = 4
	albumPatience  = 2 * time.Second
	albumAgain     = time.Minute
	thumbnailSide  = 320
	mostThumbnails = 500
	mostShrinking  = 2
)

// albums are the data sets that are open, those that were opened last.
type albums struct {
	mu        sync.Mutex
	open      []*openAlbum
	shrinking chan struct{}
}

// An openAlbum is one that was opened, or is being opened until ready is closed.
type openAlbum struct {
	of    *study // as its source was opened: a database that replaces another has studies of its own
	ready chan struct{}
	began time.Time
	album Album
	err   error

	mu   sync.Mutex
	kept map[string]*answered // thumbnails
}

// errAlbumPending is told while a data set is being opened.
var errAlbumPending = errors.New("the data set is being looked at")

// album gives the data set of a study, for which it waits a little. It is nil with an error, and
// where none is to be shown.
func (s *server) album(ctx context.Context, src *source, study string) (*openAlbum, error) {
	if s.Album == nil || study == "" {
		return nil, nil
	}
	one := s.albums.find(src.study(study), func(one *openAlbum) { s.openAlbum(src, one) })
	select {
	case <-one.ready:
		if one.err != nil {
			return nil, one.err
		}
		return one, nil
	case <-time.After(albumPatience):
	case <-ctx.Done():
	}
	return nil, errAlbumPending
}

// find gives an album of the list, and has open open it where it is not there or failed long ago.
func (a *albums) find(of *study, open func(*openAlbum)) *openAlbum {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at := slices.IndexFunc(a.open, func(o *openAlbum) bool { return o.of == of }); at >= 0 {
		one := a.open[at]
		a.open = slices.Delete(a.open, at, at+1)
		if !one.isStale() {
			a.open = append(a.open, one)
			return one
		}
	}
	one := &openAlbum{of: of, ready: make(chan struct{}), began: time.Now(), kept: map[string]*answered{}}
	a.open = append(a.open, one)
	a.open = a.open[max(0, len(a.open)-mostAlbums):]
	go open(one)
	return one
}

// isStale tells whether the album could not be opened, some time ago.
func (o *openAlbum) isStale() bool {
	select {
	case <-o.ready:
		return o.err != nil && time.Since(o.began) > albumAgain
	default:
		return false
	}
}

// openAlbum opens a data set; one at a time with analyses, so that those who train keep their
// processors.
func (s *server) openAlbum(src *source, one *openAlbum) {
	s.analyses <- struct{}{}
	one.err = src.with(func(db *store.DB) (err error) {
		one.album, err = s.Album(s.ctx, db, one.of.name)
		return err
	})
	<-s.analyses
	close(one.ready)
	if time.Since(one.began) > albumPatience { // somebody may have been told to wait
		s.changed()
	}
}

// references are the captions of an image in the data set.
func (o *openAlbum) references(image string) []string {
	if o == nil {
		return nil
	}
	return o.album.References(image)
}

// thumbnail is a picture of the data set, kept once it is made. Making it takes a place in shrinking.
func (o *openAlbum) thumbnail(ctx context.Context, image string, shrinking chan struct{}) (*answered, error) {
	o.mu.Lock()
	kept := o.kept[image]
	o.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	select {
	case shrinking <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	small, err := o.shrunk(image)
	<-shrinking
	if err != nil {
		return nil, err
	}
	kept = pictureOf(small)
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.kept) >= mostThumbnails {
		o.kept = map[string]*answered{}
	}
	o.kept[image] = kept
	return kept, nil
}

// shrunk makes a thumbnail.
func (o *openAlbum) shrunk(image string) (small []byte, err error) {
	defer crash.Recover(&err)
	return o.album.Thumbnail(image, thumbnailSide)
}

func pictureOf(jpeg []byte) *answered {
	a := answerOf(http.StatusOK, "image/jpeg", jpeg)
	a.kind = "image/jpeg"
	return a
}

// pictureLink is the address of an image's picture.
func pictureLink(src *source, study, image string) string {
	return studyLink(src, study) + "/picture?image=" + url.QueryEscape(image)
}

// picture gives a thumbnail of the data set or, where that is not at hand, of the database. The
// name that is asked for is looked up among those of the images, and never taken for a path.
func (s *server) picture(w http.ResponseWriter, r *http.Request) {
	src, db, of, done, err := s.opened(r.Context(), r)
	if err != nil {
		code, m := explain(err)
		s.write(w, code, "message", m)
		return
	}
	defer done()
	image := r.URL.Query().Get("image")
	album, err := s.album(r.Context(), src, of.Name)
	if album != nil && album.references(image) != nil {
		var small *answered
		if small, err = album.thumbnail(r.Context(), image, s.albums.shrinking); err == nil {
			small.to(w, r)
			return
		}
	}
	kept, stored := db.Illustration(r.Context(), of.Name)
	for _, p := range kept.Pictures {
		if p.Image == image {
			pictureOf(p.JPEG).to(w, r)
			return
		}
	}
	http.Error(w, fmt.Sprintf("no picture of that name: %v", errors.Join(err, stored)), http.StatusNotFound)
}
