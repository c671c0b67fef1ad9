// Package layers holds no code, only tests of the shape of the tree: which package may import which, which may
// use which library, and the limits of size and style that a compiler does not check.
package layers
