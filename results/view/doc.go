// Package view gives what is shown of stored runs, the same to whoever shows it: a verb on the terminal, a page, or a
// script that reads JSON.
//
//   - [List] chooses runs by an expression, sorts them, and gives the columns asked for, out of [Fields];
//   - [ReadRecord] reads all that is recorded of one run;
//   - [EnsemblesOf] and [ReadEnsemble] give what the seeds of an arm caption together;
//   - [CompareRuns] and [CompareArms] compare two of them;
//   - [DiffRuns] tells what differs between several;
//   - [Run], [Ensemble], [Record.JSON], [RunPair], [ArmPair] and [Diff] are their JSON, which are contracts.
package view
