package stats_test

import (
	"fmt"
	"strconv"

	"glimpse/metrics"
	"glimpse/metrics/stats"
)

// pretend returns an arm whose runs score around a given CIDEr.
func pretend(name string, cider float64) stats.Arm {
	arm := stats.Arm{Name: name, Signature: "tokens=ptb beam=5"}
	for seed := range int64(5) {
		images := make([]metrics.ImageScore, 1000)
		for i := range images {
			rest := float64((i*7+int(seed)*13)%101)/101 - 0.5
			images[i] = metrics.ImageScore{ID: strconv.Itoa(i), CIDEr: cider + 0.004*float64(seed) + 0.3*rest}
		}
		arm.Runs = append(arm.Runs, stats.Run{Seed: seed + 1, Images: images})
	}
	return arm
}

func ExampleCompare() {
	contrast := stats.Contrast{B: "adaptive", A: "none"}
	analysis, err := stats.Compare(
		[]stats.Arm{pretend("none", 0.48), pretend("adaptive", 0.51)},
		[]stats.Contrast{contrast},
		stats.Options{Primary: "cider", MinimumEffect: 1, Seed: 1},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	r := analysis.Result(contrast, "cider")
	fmt.Printf("%s: %+.1f points (%.1f to %.1f), p = %.3f, %s\n",
		r.Contrast, 100*r.Difference, 100*r.Low, 100*r.High, r.PHolm, r.Verdict)
	// Output: adaptive − none: +3.0 points (2.0 to 4.0), p = 0.008, supported
}

func ExamplePlan() {
	plan, err := stats.Plan(
		[]stats.PlannedArm{{Name: "none", Seeds: 3}, {Name: "adaptive", Seeds: 3}},
		[]stats.Contrast{{B: "adaptive", A: "none"}},
		stats.Flickr8kCIDEr,
		stats.Options{MinimumEffect: 1},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan.Results[0].SmallestP, plan.Results[0].DetectableEffect == nil)
	fmt.Println(plan.Warnings[2])
	// Output:
	// 0.1 true
	// adaptive − none: 3 against 3 seeds can reach p = 0.1 at best over 1 contrast(s), never below 0.05: add seeds
}
