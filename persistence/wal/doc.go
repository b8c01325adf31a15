// Package wal is a log of opaque payloads that is right under every crash: what Append acknowledged is there after
// kill -9 and after power loss, what it did not acknowledge is there whole or not at all, and damage is refused, never
// read. It is built over tidwall/wal, which appends and rolls segment files. The reading side of that library is
// not used, since it has no checksum: this package reads the files through a scanner of its own.
//
//	Open    lock the directory -> list the segments -> scan the last one -> cut a torn tail, or refuse
//	        -> write the last record again and fsync -> let the library open the files -> fsync the directory
//	Replay  every segment, every record, every check; in order
//	Append  frame the payload -> library write -> fsync -> after a roll, fsync the directory -> acknowledge
//
// The first error while writing fails the log for good: the library's memory and the file may differ by then, and
// reopening is the one way back. A Log belongs to one goroutine; only LastIndex and Repaired may be called from others.
//
// # Words and bytes
//
// A segment is a file that is named by the index of its first entry, 20 decimal digits. It holds records and nothing
// else. A record is the library's length prefix and one frame; a frame is what we hand to the library.
//
//	      prefix      version   length    index     checksum   payload        trailer
//	      1..4        1         4         8         4          1..MaxPayload  1         bytes
//	    +-----------+---------+---------+---------+----------+--------------+---------+
//	    | uvarint   | 01 | 81 | u32 LE  | u64 LE  | u32 LE   | opaque       | FF      |
//	    +-----------+---------+---------+---------+----------+--------------+---------+
//	     \_ library  \______________________ frame _________________________________/
//
//	prefix    the length of the frame, in the shortest form
//	version   01, or 81 when the payload holds 128 zero bytes or more in a row (see below)
//	length    the length of the payload, so it is known twice
//	index     the place in the log; each record's is one above that of the record before it
//	checksum  CRC-32C over version, length, index and payload
//	trailer   FF, so that a record never ends in zeros
//
// # Torn or corrupt
//
// A crash in the middle of an append leaves a torn record: part of its bytes never reached the disk, and nobody was
// told that it was stored. It must be cut, or the service never starts again. A record that was stored and then
// damaged must never be cut. Only the last segment can hold a torn record, as its last thing, because a record is
// written only after the one before it was fsynced. So a bad record is torn only if no valid frame of this or a later
// index starts at any byte behind its first, and either
//
//	the file ends inside it, and what is there of its header is exactly what was due; or
//	a sector of it was never written: cut at multiples of 512 bytes of the file, one piece of it is all zeros, and
//	what may follow it is all zeros too. (Nothing but zeros up to the end of the file is the plainest case.)
//
// Everything else is corruption, and Open refuses. Why no change of one single byte in a complete last record is ever
// cut (each is noticed, as every field is either checksummed or known beforehand):
//
//	prefix    the frame behind it is still valid, and is found
//	length    prefix and length disagree, and the prefix says that the record is complete
//	version   the frame is valid with the other version, and that is tried
//	index, checksum, payload
//	          both lengths agree that the record is complete, and no piece of it is zero: the first holds the prefix,
//	          the last the trailer, and each between them two non-zero bytes or more, since no zero run in the
//	          payload is longer than 127. Longer runs are marked by the version, and then zeros prove nothing.
//	trailer   the checksum still holds, so every byte arrived
//
// The price: four rare tears cannot be told from damage and are refused too, namely a lost sector that held nothing but
// the prefix; one that held nothing but the trailer and zeros; any lost sector of a payload with long zero runs; and a
// payload that has within itself a valid frame of this or a later index.
//
// # Assumptions
//
//   - A sector of 512 bytes is written wholly or not at all, and one that was never written reads as zeros.
//   - What a successful fsync covered stays. A failed fsync promises nothing, not even that a later one reports it:
//     hence the last record, the only one that can be in doubt, is written again by each Open before anybody sees it.
//   - The files of a whole segment do not vanish. A missing file in the middle is noticed by Replay; missing
//     ones at either end look like a shorter log: whoever holds a snapshot must compare it with the indexes here.
//   - Nobody else writes to the directory. Two Logs cannot: the file LOCK is locked with flock.
package wal
