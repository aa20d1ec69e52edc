// Package slurm submits trials to Slurm. It implements [runner.Cluster] and needs only Slurm's
// commands and a folder that the nodes share with this machine.
//
// Slurm's ids do not identify jobs reliably: its controller may forget and reuse them after a
// crash, and a job may run twice if a node was cut off. So a job is identified by its comment,
// which names our submission, and its index in it. A job's outcome is read only from its folder.
// If Slurm does not answer, the error is [runner.ErrSilent].
//
// The settings of a site are in cluster.yaml ([Settings]). In the folder of all jobs,
// slurm/SUBMISSION holds what was submitted: the script, the jobs of its tasks (tasks, one per
// line), and the output of Slurm and the script (N.out). slurm.json in a job's folder names its
// task.
package slurm
