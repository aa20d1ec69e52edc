package safetensors

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
)

// file puts a header before 16 bytes of values.
func file(header string) []byte {
	content := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(content, header...), make([]byte, 16)...)
}

func read(content []byte) (Header, error) { return Read(bytes.NewReader(content), int64(len(content))) }

// TestHostile holds what is refused, and that the reason names tensor and byte.
func TestHostile(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, ""},
		{`{"a":{"dtype":"F16","shape":[8],"data_offsets":[0,16]},"__metadata__":{"names":"x"}}`, ""},
		{`{"a":{"dtype":"F8_E4M3","shape":[16],"data_offsets":[0,16]}}`, ""}, // a type to come
		{`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, `tensor "b" begins at byte 0, where 16 is free`},
		{`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, `tensor "b" begins at byte 8, where 12 is free`},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, `tensor "a" begins at byte 8, where 0 is free`},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "8 of 16 bytes of values belong to no tensor"},
		{`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, `duplicate`},
		{`{"a":{"dtype":"F32","shape":[4],"data_offsets":[-16,0]}}`, "does not fit the file"},
		{`{"a":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}}`, "does not fit the file"},
		{`{"a":{"dtype":"F32","shape":[4],"data_offsets":[16,32]}}`, "does not fit the file"},
		{`{"a":{"dtype":"F64","shape":[3],"data_offsets":[0,16]}}`, "does not fit the file"},
		{`{"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}`, "impossible shape"},
		{`{"a":{"dtype":"F32","shape":[1099511627776,1099511627776],"data_offsets":[0,16]}}`, "impossible shape"},
		{`{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,16]}}`, "does not fit the file"},
		{`{"a":{"dtype":"F32","shape":[4611686018427387908],"data_offsets":[0,16]}}`, "impossible shape"},
		{`{"a":7}`, `tensor "a": `},
		{`{"__metadata__":[]}`, "__metadata__"},
		{`[]`, "header of the safetensors file"},
		{strings.Repeat("[", 100000), "header of the safetensors file"},
	} {
		_, err := read(file(c.header))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%.120s: error %v, want %q", c.header, err, c.want)
		}
	}
	for _, length := range []uint64{17, 101 << 20, 1 << 63, 1<<64 - 1} {
		_, err := read(append(binary.LittleEndian.AppendUint64(nil, length), make([]byte, 16)...))
		if err == nil || !strings.Contains(err.Error(), "not a safetensors file") {
			t.Errorf("a header of %d bytes: error %v", length, err)
		}
	}
	if _, err := read([]byte("short")); err == nil {
		t.Error("a file of five bytes is taken")
	}
}

// TestEncode holds that what is written is read back, in the order of the values.
func TestEncode(t *testing.T) {
	tensors := []Tensor{{Name: "z", DType: "F16", Shape: []int64{2, 3}}, {Name: "a", DType: "I64", Shape: []int64{1}}}
	head, err := Encode(tensors, map[string]string{"names": "[]"})
	if err != nil || len(head)%8 != 0 {
		t.Fatalf("%d bytes, %v", len(head), err)
	}
	got, err := read(append(head, make([]byte, 20)...))
	at := int64(len(head))
	tensors[0].Begin, tensors[0].End, tensors[1].Begin, tensors[1].End = at, at+12, at+12, at+20
	if want := (Header{tensors, map[string]string{"names": "[]"}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []Tensor{{Name: "x", DType: "F8", Shape: []int64{1}}, {Name: "x", DType: "F32", Shape: []int64{-1}}} {
		if _, err := Encode([]Tensor{bad}, nil); err == nil {
			t.Errorf("%+v is written", bad)
		}
	}
}

// FuzzRead holds that tensors of any file that is taken lie in it, one behind the other.
func FuzzRead(f *testing.F) {
	head, err := Encode([]Tensor{{Name: "a", DType: "F32", Shape: []int64{2, 1}}, {Name: "b", DType: "BF16", Shape: []int64{0}}}, map[string]string{"k": "v"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(head, make([]byte, 8)...))
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Add(file(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		h, err := read(content)
		if err != nil {
			return
		}
		at := int64(len(content))
		for i := len(h.Tensors) - 1; i >= 0; i-- {
			x := h.Tensors[i]
			if x.End != at || x.Begin > x.End {
				t.Fatalf("%+v does not end at %d", x, at)
			}
			if n, ok := count(x.Shape); !ok || sizes[x.DType] > 0 && n*sizes[x.DType] != x.End-x.Begin {
				t.Errorf("%+v has another shape", x)
			}
			at = x.Begin
		}
	})
}
