package pth

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// archive is a zip file in PyTorch's layout around a pickle and one storage "0".
func archive(method uint16, pickle string, storage []byte) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range []struct {
		name string
		data []byte
	}{{"a/data.pkl", []byte(pickle)}, {"a/data/0", storage}} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: method})
		if err == nil {
			_, err = f.Write(e.data)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// The parts that hostile pickles are put together from.
func number(n int32) string {
	return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n)))
}

func text(s string) string { return "\x8c" + string(rune(len(s))) + s }

func storageID(class, key string, numel int32) string {
	return "(" + text("storage") + "ctorch\n" + class + "\n" + text(key) + text("cpu") + number(numel) + "tQ"
}

func tensorOf(storage, offset, shape, strides string) string {
	return "ctorch._utils\n_rebuild_tensor\n(" + storage + offset + shape + strides + "tR"
}

func entry(value string) string { return "\x80\x02}" + text("w") + value + "s." }

func TestHostile(t *testing.T) {
	floats := storageID("FloatStorage", "0", 4)
	four, one := number(4)+"\x85", number(1)+"\x85"
	good := entry(tensorOf(floats, number(0), four, one))
	data := make([]byte, 16)
	if got, err := decode(archive(zip.Store, good, data)); err != nil || len(got["w"].Data) != 4 {
		t.Fatalf("the good one: %v, %v", got, err)
	}
	many := strings.Builder{}
	many.WriteString("\x80\x02}(")
	for i := range 1000 {
		value := "h\x01"
		if i == 0 {
			value = tensorOf(floats, number(0), four, one) + "q\x01"
		}
		many.WriteString(text(fmt.Sprint(i)) + value)
	}
	many.WriteString("u.")
	pairs := "](" + strings.Repeat("NN\x86", 5000) + "eq\x000" // memo 0: 5,000 pairs, copied 200 times below
	copies := pairs + strings.Repeat("ccollections\nOrderedDict\nh\x00\x85R", 200) + "."
	for _, c := range []struct{ name, pickle, want string }{
		{"runs a command", "cos\nsystem\n(" + text("true") + "tR.", `contains the class "os.system"`},
		{"builtin by stack global", text("builtins") + text("eval") + "\x93.", `contains the class "builtins.eval"`},
		{"class not in torch", "cTorch\nFloatStorage\n.", "contains the class"},
		{"storage called", "ctorch\nFloatStorage\n(tR.", "called with 0 arguments"},
		{"calls a string", text("x") + ")R.", "calls a string"},
		{"new object", "ccollections\nOrderedDict\n)\x81.", "makes an object of a class collections.OrderedDict"},
		{"parameter without data", entry("ctorch.nn.parameter\nParameter\n)\x81"), "parameter without data"},
		{"build on a list", "]}b.", "sets the state of a list"},
		{"opcode inst", "(ios\nsystem\n.", "opcode 0x69"},
		{"long string", "X\xff\xff\xff\xff", "needs 4294967295 bytes"},
		{"empty stack", "0.", "the stack is empty"},
		{"mark as value", "(.", "a mark where a value should be"},
		{"no mark", "}u.", "no mark"},
		{"odd items", "}(Nu.", "1 keys and values"},
		{"unset memo", "h\x07.", "memo 7 was never set"},
		{"itself", "}q\x00" + text("state_dict") + "h\x00s.", "is a dict, not a tensor"},
		{"unhashable key", "}]Ns.", "has a key of type list"},
		{"not a dict", "]N\x85a.", "contains a list, not a state dict"},
		{"empty dict", "}.", "is empty"},
		{"other entry", entry("N"), `"w" is a None, not a tensor`},
		{"endless protocol", "\x80\x06.", "protocol 6"},
		{"endless name", "c" + strings.Repeat("a", 300), "a name without an end"},
		{"too many objects", strings.Repeat("N", maxItems+1) + ".", "too many objects"},
		{"no list of pairs", "ccollections\nOrderedDict\n](NNe\x85R.", "holds a None where a pair should be"},
		{"copies of a list", copies, "too many objects"},
		{"huge size", entry(tensorOf(floats, number(0), number(1<<30)+"\x85", one)), "outside its storage"},
		{"overflow", entry(tensorOf(floats, number(0), strings.Repeat(number(1<<30), 3)+"\x87", strings.Repeat(number(1<<30), 3)+"\x87")), "outside its storage"},
		{"expanded", entry(tensorOf(floats, number(0), number(2)+number(2)+"\x86", number(1)+number(1)+"\x86")), "an expanded tensor"},
		{"stride zero", entry(tensorOf(floats, number(0), four, number(0)+"\x85")), "an expanded tensor"},
		{"negative size", entry(tensorOf(floats, number(0), number(-1)+"\x85", one)), "size -1"},
		{"negative stride", entry(tensorOf(floats, number(3), four, number(-1)+"\x85")), "stride -1"},
		{"negative offset", entry(tensorOf(floats, number(-1), four, one)), "outside its storage"},
		{"offset at the end", entry(tensorOf(floats, number(1), four, one)), "outside its storage"},
		{"dimensions", entry(tensorOf(floats, number(0), number(1)+number(1)+"\x86", one)), "2 sizes and 1 strides"},
		{"sizes no tuple", entry(tensorOf(floats, number(0), "N", one)), "arguments storage, int, None, tuple"},
		{"huge storage", entry(tensorOf(storageID("FloatStorage", "0", 1<<30), number(0), four, one)), "too few for 1073741824"},
		{"negative storage", entry(tensorOf(storageID("FloatStorage", "0", -4), number(0), four, one)), "cannot be read"},
		{"missing storage", entry(tensorOf(storageID("FloatStorage", "../0", 4), number(0), four, one)), `no storage "../0"`},
		{"two types", "(" + floats + storageID("LongStorage", "0", 4) + "t.", "in two ways"},
		{"storage as entry", entry(floats), "is a storage, not a tensor"},
		{"module id", "(" + text("module") + "NNNNtQ.", "not a storage"},
		{"id no tuple", text("x") + "Q.", "not a storage"},
		{"tied a thousand times", many.String(), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decode(archive(zip.Store, c.pickle, data))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := decode(archive(zip.Deflate, good, data)); err == nil || !strings.Contains(err.Error(), "is compressed") {
		t.Errorf("compressed: %v", err)
	}
	big := entry(tensorOf(storageID("ByteStorage", "0", 1<<20), number(0), number(1<<20)+"\x85", one))
	big = strings.TrimSuffix(big, "s.") + "q\x09s"
	for i := range 8 {
		big += text(fmt.Sprint(i)) + "h\x09s"
	}
	if _, err := decode(archive(zip.Store, big+".", make([]byte, 1<<20))); err == nil || !strings.Contains(err.Error(), "claim over") {
		t.Errorf("one storage seen nine times: %v", err)
	}
}

func decode(p []byte) (map[string]Tensor, error) {
	return Decode(bytes.NewReader(p), int64(len(p)))
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.pth")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		seed, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Add(archive(zip.Store, entry(tensorOf(storageID("HalfStorage", "0", 4), number(0), number(4)+"\x85", number(1)+"\x85")), make([]byte, 8)))
	f.Fuzz(func(t *testing.T, p []byte) {
		tensors, err := decode(p)
		if err != nil && tensors != nil {
			t.Error("tensors beside an error")
		}
		for name, tensor := range tensors {
			n := 1
			for _, size := range tensor.Shape {
				n *= size
			}
			if n != len(tensor.Data) {
				t.Errorf("%q: shape %v, %d values", name, tensor.Shape, len(tensor.Data))
			}
		}
	})
}

// FuzzUnpickle reaches the machine without a container's checksums in the way.
func FuzzUnpickle(f *testing.F) {
	f.Add([]byte(entry(tensorOf(storageID("FloatStorage", "0", 4), number(0), number(4)+"\x85", number(1)+"\x85"))))
	f.Add([]byte("\x80\x02ccollections\nOrderedDict\n](]((K\x01K\x02\x8a\x01\xffNeee\x85R}b."))
	f.Fuzz(func(t *testing.T, p []byte) {
		root, used, err := unpickle(p, map[string]*storage{})
		if err == nil && used > len(p) {
			t.Errorf("used %d of %d bytes", used, len(p))
		}
		if err == nil {
			_, _ = stateDict(root)
		}
	})
}
