// Package wal is a log of opaque payloads that is right under every crash: what Append acknowledged is there after
// kill -9 and after power loss, what it did not acknowledge is there whole or not at all, and damage is refused, never
// read. It is built over tidwall/wal, which appends and rolls segment files. The reading side of that library is
// not used, since it has no checksum: this package reads the files through a scanner of its own.
//
//	Open        lock the directory -> list the segments -> scan the last one -> cut a torn tail, or refuse
//	            -> write the last record again and fsync -> let the library open the files -> fsync the directory
//	ReplayFrom  every segment that a snapshot does not cover, every record in it, every check; in order
//	Append      frame the payload -> library write -> fsync -> after a roll, fsync the directory -> acknowledge
//	Roll        make the next segment -> fsync the directory -> let the library open the files anew
//	DropBefore  list -> fsync the directory -> oldest first: remove one file, fsync the directory
//
// The first error while writing fails the log for good: the library's memory and the file may differ by then, and
// reopening is the one way back. A Log belongs to one goroutine; only LastIndex and Repaired may be called from others,
// and DropBefore, which needs no Log, may run in another while the Log appends, but not while it rolls.
//
// For tools, without a Log: Walk and PlanRepair read any log, also a live one, and change nothing. Repair makes the
// cut that Open would make, and no more, under the lock.
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
// # Dropping old segments
//
// Entries that a snapshot covers are dropped by whole files, from the oldest on (Roll ends a file where a snapshot is
// taken, so that the drop comes out even, and nothing older stays); nothing is written anew, and the
// library is not asked: it opens no file but the last once it is open, and takes the first file that it finds for the
// start of the log. (Its own truncation writes what remains of a file to N.START, removes the files up to that, and
// renames it. Nothing here does that any more, but Open finishes one that it finds, and DropBefore refuses it.)
//
// After a power loss, each removal that was not fsynced may have happened or not, by itself, and so may the making of
// a new file. So the directory is fsynced before the first removal, which keeps the files that stay, and after each
// one: at any moment at most one removal is in doubt, that of the oldest file, and what is left is a log without
// gaps.
//
// A log that starts later, or ends earlier, than the snapshot has it is refused by ReplayFrom: ErrMissing.
//
// # Reading a live log
//
// Sizes are taken before the files are read, and an append writes a file from its end on, so the bytes of a record
// that is under way are there from its first up to some byte, and it looks like a torn one: the file ends inside
// it. A bad record at the end is looked at once more, with a fresh size; by then it is whole, or still torn, and never
// corrupt. The second look is also for an Open of the service meanwhile, which cuts a torn record and has another
// written in its place: the first look may have met half of each.
//
// A list of a directory that changes may lack a new file in the middle, or have an old one that is gone. The successor
// of a file is named by the index that is due after it, so it is looked for by that name. If it is not there although
// there are later ones, then it was dropped if the file before it is gone too (ErrDropped), and else it is damage.
//
// # Assumptions
//
//   - A sector of 512 bytes is written wholly or not at all, and one that was never written reads as zeros.
//   - What a successful fsync covered stays. A failed fsync promises nothing, not even that a later one reports it:
//     hence the last record, the only one that can be in doubt, is written again by each Open before anybody sees it.
//   - A failed fsync of a directory either left nothing behind, or stops the file system, as it does where metadata is
//     journaled: a later one that succeeds covers what the failed one should have.
//   - A reader that sees the size of a file sees all bytes below it, and a file that was made or removed is so for
//     every later look. Local Linux file systems keep to both; a network file system may not.
//   - The files of a whole segment do not vanish. A missing file in the middle is noticed by ReplayFrom if it is
//     behind the snapshot, and by Walk in any case; missing ones at the front by ReplayFrom. Missing ones at the end
//     look like a shorter log, which only a snapshot beyond that end gives away.
//   - Nobody else writes to the directory. Two Logs cannot: the file LOCK is locked with flock.
package wal
