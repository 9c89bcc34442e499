package server

import "dec.local/dec/technology/all"

// Titles are the names of all technologies for people, by their names.
func Titles() map[string]string {
	titles := map[string]string{}
	for _, tech := range all.Technologies() {
		titles[tech.Name] = tech.Title
	}
	return titles
}
