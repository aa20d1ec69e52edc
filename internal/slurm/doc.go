// Package slurm hands trials to Slurm, with nothing but its commands and a folder that its nodes
// share with this machine: it is a [runner.Cluster].
//
// Slurm's ids are no identity: they are forgotten and given again after a crash of its controller,
// and a job may run twice where a node was cut off. A job is known by the comment that it was
// submitted with, which names a submission of ours, and its place in that. What became of a job is
// read from its folder alone. A Slurm that does not answer is [runner.ErrSilent].
//
// The place's settings are in cluster.yaml ([Settings]). In the folder of all jobs,
// slurm/SUBMISSION holds what was submitted: the script, the jobs of its tasks (tasks, by line),
// and what Slurm and the script said (N.out). slurm.json in a job's folder says which task it is.
package slurm
