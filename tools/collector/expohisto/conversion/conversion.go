// Package conversion stands in for the conversion of exponential histograms, whose module the Go
// module proxy does not have. Only the transform processor imports it, for one OTTL function,
// convert_exponential_histogram_to_histogram, which is refused here when it is parsed.
package conversion

import "errors"

// ExponentialHistogram is what would be converted.
type ExponentialHistogram struct {
	Count         uint64
	Scale         int32
	ZeroThreshold float64
	ZeroCount     uint64
	Positive      Buckets
	Negative      Buckets
}

// Buckets are those of one sign.
type Buckets struct {
	Offset int32
	Counts interface {
		Len() int
		At(int) uint64
	}
}

// ToExplicit refuses.
func ToExplicit(ExponentialHistogram, []float64, string) ([]uint64, error) {
	return nil, errors.New("this Collector was built without the conversion of exponential histograms")
}
