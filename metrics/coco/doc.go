// Package coco scores captions in COCO's JSON, of any program: references as in
// captions_*.json and candidates as in its lists of results.
//
//   - [ReadReferences] and [ReadCandidates] read them, with file and line of what is wrong;
//   - [Pair] tokenizes them and joins the two by image;
//   - [ReadFiles] and [Files.Score] do all of it, and compare several sets of candidates.
package coco
