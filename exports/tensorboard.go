package exports

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"glimpse/internal/atomicfile"
	"glimpse/internal/store"
)

// TensorBoard writes a file of events for each run into dir/STUDY/ARM seed S
// RUN, with its curves, its scores, and its settings for the tab of
// hyperparameters. It returns the folders, in order.
//
// The format is TensorFlow's: records framed as in tsl/lib/io/record_writer.h,
// of messages as in tensorboard/compat/proto/event.proto and
// tensorboard/plugins/hparams/plugin_data.proto.
func TensorBoard(runs []Run, dir string) ([]string, error) {
	var folders []string
	for i := range runs {
		r := &runs[i]
		folder := filepath.Join(dir, r.Study, fileName(r.name()))
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return folders, err
		}
		if err := removeLeft(folder); err != nil {
			return folders, err
		}
		err := atomicfile.Write(filepath.Join(folder, eventFile), func(w io.Writer) error {
			for _, event := range r.events() {
				if err := writeRecord(w, event); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return folders, err
		}
		folders = append(folders, folder)
	}
	return folders, nil
}

// eventFile is one name for ever, so that exporting again replaces.
const eventFile = "events.out.tfevents.0.glimpse"

// removeLeft removes what killed exports left in a folder when temporary files were still named after the file that they
// were to become: TensorBoard reads every file with tfevents in its name.
func removeLeft(folder string) error {
	left, err := os.ReadDir(folder)
	for _, entry := range left {
		if strings.HasPrefix(entry.Name(), eventFile+".") {
			err = errors.Join(err, os.Remove(filepath.Join(folder, entry.Name())))
		}
	}
	return err
}

// fileName keeps of a text what every filesystem takes.
func fileName(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || strings.ContainsRune(`/\:*?"<>|`, c) {
			return '_'
		}
		return c
	}, text)
}

// events are the messages of a run.
func (r *Run) events() [][]byte {
	version := protowire.AppendTag(nil, 3, protowire.BytesType) // file_version
	events := [][]byte{event(r.Started, 0, protowire.AppendString(version, "brain.Event:2"))}
	summary := func(at time.Time, step int, value []byte) {
		events = append(events, event(at, step, message(5, message(1, value)))) // summary, its one value
	}
	summary(r.Started, 0, hparams("_hparams_/session_start_info", message(3, r.sessionStart())))
	for _, p := range r.points() {
		value := named(p.name)
		value = protowire.AppendTag(value, 2, protowire.Fixed32Type) // simple_value
		summary(p.at, p.step, protowire.AppendFixed32(value, math.Float32bits(float32(p.value))))
	}
	if !r.Finished.IsZero() {
		status := map[string]uint64{store.Completed: 1, store.Failed: 2}[r.State] // STATUS_SUCCESS, STATUS_FAILURE
		end := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), status)
		end = double(end, 2, seconds(r.Finished))
		summary(r.Finished, r.Run.Epochs, hparams("_hparams_/session_end_info", message(4, end)))
	}
	return events
}

// sessionStart is the message SessionStartInfo.
func (r *Run) sessionStart() []byte {
	var info []byte
	values := store.Flatten(r.Settings)
	values["arm"] = r.Arm
	for _, path := range slices.Sorted(maps.Keys(values)) {
		var value []byte // google.protobuf.Value
		switch v := values[path].(type) {
		case float64:
			value = double(nil, 2, v)
		case string:
			value = protowire.AppendString(protowire.AppendTag(nil, 3, protowire.BytesType), v)
		case bool:
			value = protowire.AppendVarint(protowire.AppendTag(nil, 4, protowire.VarintType), protowire.EncodeBool(v))
		default:
			continue
		}
		info = append(info, message(1, append(named(path), message(2, value)...))...)
	}
	info = append(info, protowire.AppendString(protowire.AppendTag(nil, 4, protowire.BytesType), r.ID)...) // group_name
	return double(info, 5, seconds(r.Started))
}

// hparams is a summary's value for the plugin of hyperparameters.
func hparams(tag string, content []byte) []byte {
	data := append(protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 0), content...)
	plugin := append(named("hparams"), message(2, data)...)
	return append(named(tag), message(9, message(1, plugin))...)
}

// named is a message that begins with a text in field 1.
func named(text string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), text)
}

func message(field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), content)
}

func double(to []byte, field protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(to, field, protowire.Fixed64Type), math.Float64bits(v))
}

func event(at time.Time, step int, what []byte) []byte {
	e := double(nil, 1, seconds(at)) // wall_time
	e = protowire.AppendVarint(protowire.AppendTag(e, 2, protowire.VarintType), uint64(step))
	return append(e, what...)
}

func seconds(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(at.UnixMilli()) / 1000
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the checksum of a record's parts.
func masked(data []byte) uint32 {
	sum := crc32.Checksum(data, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}

// writeRecord writes length, its checksum, the data, and theirs.
func writeRecord(w io.Writer, data []byte) error {
	record := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	record = binary.LittleEndian.AppendUint32(record, masked(record))
	record = append(record, data...)
	_, err := w.Write(binary.LittleEndian.AppendUint32(record, masked(data)))
	return err
}
