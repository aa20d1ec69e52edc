// Package planning looks at a study before anything of it is trained: it loads the
// data sets, counts and matches parameters, gives each trial its identity, finds how
// the study stands to the results database, and what it can find out.
package planning
