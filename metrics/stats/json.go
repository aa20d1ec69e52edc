package stats

import (
	"encoding/json"
	"math"
	"reflect"
)

// MarshalJSON writes NaN, which stands for a missing number, as null.
func (s Summary) MarshalJSON() ([]byte, error) { return marshalNaN(s) }

// MarshalJSON writes NaN, which stands for a missing number, as null.
func (r Result) MarshalJSON() ([]byte, error) { return marshalNaN(r) }

// MarshalJSON writes NaN, which stands for a missing number, as null.
func (l Look) MarshalJSON() ([]byte, error) { return marshalNaN(l) }

// marshalNaN marshals a struct as encoding/json would without its methods, but
// writes NaN as null. It copies the struct to a new type that has the same
// fields, including those of embedded structs, but *float64 for float64.
func marshalNaN(v any) ([]byte, error) {
	from := reflect.ValueOf(v)
	var fields []reflect.StructField
	var values []reflect.Value
	for _, f := range reflect.VisibleFields(from.Type()) {
		if f.Anonymous {
			continue
		}
		value := from.FieldByIndex(f.Index)
		if value.Kind() == reflect.Float64 {
			number := reflect.New(value.Type())
			number.Elem().Set(value)
			if math.IsNaN(value.Float()) {
				number = reflect.Zero(number.Type())
			}
			value = number
		}
		fields = append(fields, reflect.StructField{Name: f.Name, Type: value.Type(), Tag: f.Tag})
		values = append(values, value)
	}
	to := reflect.New(reflect.StructOf(fields)).Elem()
	for i, value := range values {
		to.Field(i).Set(value)
	}
	return json.Marshal(to.Interface())
}
