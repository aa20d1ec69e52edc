//go:build !linux

package store

// networkFilesystem is not known on this system.
func networkFilesystem(string) string { return "" }
