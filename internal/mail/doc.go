// Package mail writes the mails to customers and hands them over: by SMTP, or
// to a folder where no server is set. A mail has one ID, and the same mail sent
// again is the same bytes under the same Message-ID, so a job may repeat
// whatever ended without an answer.
//
// What customers typed stands in these mails: names, addresses, numbers of
// orders. None of it can add a header, and none of it is in an error, because
// errors are logged.
package mail
