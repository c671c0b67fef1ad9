package httpkit

// ScanBody lets the benchmark and the fuzz target reach the scanner.
var ScanBody = scanBody

// Suspicious is the scanner's first pass.
var Suspicious = suspicious

// Decode is the strict decoder.
var Decode = jsonFormat().Unmarshal
