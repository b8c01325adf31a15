// Package wal is a log of opaque payloads that is right under every crash: what Append acknowledged is there after
// kill -9 and after power loss, what it did not acknowledge is there whole or not at all, and damage is refused, never
// read. It is built over tidwall/wal, which appends and rolls segment files. The reading side of that library is
// not used, since it has no checksum: this package reads the files through a scanner of its own.
//
//	Open        lock the directory -> list the segments -> scan the last one -> cut its room and a torn tail, or refuse
//	            -> write the last record again and fsync -> let the library open the files -> fsync the directory
//	ReplayFrom  every segment that a snapshot does not cover, every record in it, every check; in order
//	Append      frame the payload -> make room, or cut it off -> library write -> fsync
//	            -> after a roll, fsync the directory -> acknowledge
//	Roll        cut the room off and fsync -> make the next segment -> fsync the directory
//	            -> let the library open the files anew
//	Close       cut the room off and fsync -> let the library close the file
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
// A segment is a file that is named by the index of its first entry, 20 decimal digits. It holds records, and behind them
// maybe room, which is zeros, and nothing else. A record is the library's length prefix and one frame; a frame is what we
// hand to the library.
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
// # Room
//
// When a write makes a file grow, its fsync is two writes to the disk: the data, and the size. So zeros are written
// ahead, many at once (roomStep), and records over them, at the place where the library's handle is: it keeps its own
// place, and does not ask the file for its end. Room is made durable by the fsync of the record that it was made for.
// Nothing depends on it: where there is none, a record makes the file grow, as one does that is larger than what is
// left. So a disk that is too full for room is no error.
//
//   - Only the newest segment has room. Roll cuts it off, and fsyncs that, before it makes the next file. The library
//     rolls with a record that fills the segment; room never reaches beyond the place where it is full, so the file ends
//     with that record. Zeros in any other segment are damage.
//   - The library must not see it: each zero would be a record to it. It opens a segment only after Open has cut the room
//     off, or when the segment is new.
//   - A closed log has none, and is byte for byte what it would be without. After a crash, an earlier version takes
//     room for torn and cuts it, with a warning.
//   - A record that would not show in room that it is torn is not written there (tearShows). Room is cut off, durably,
//     and the record makes the file grow; room is made anew for the next.
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
//	what may follow it is all zeros too.
//
// If there are nothing but zeros from its first byte up to the end of the file, then it is no record: the log ends there,
// with room. Nothing was torn, and nobody is told. It might be a record of which all sectors were lost; nobody was told
// that it was stored, either.
//
// Everything else is corruption, and Open refuses.
//
// Why what a crash leaves of a record in room is never refused. Each of its sectors is as it was written or as it was
// before, so zero but for the end of the record before; and the file has the size that it had, or the one that it was
// given, or one between, and beyond what was written holds zeros. If no sector is lost, it is whole, or the file ends
// inside it. If all are, there is room. Else, as tearShows has seen to it, no sector holds nothing of it but the prefix or
// part of that, so its frame is not valid at its place; none holds nothing but its trailer and zeros, so its checksum
// does not hold; and it is not sparse, so zeros count. With its first sector it has its prefix, which says where it
// ends, and without, its first byte is zero, which no prefix is, so all up to the end of the file is looked at: either
// way the lost sector is found, and only zeros follow. A write that a kill ends in the middle leaves the first of the
// sectors. (Without room, it leaves a file that ends inside the record.)
//
// Why no change of one single byte in a complete last record is ever
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
// Room behind the record changes none of this: all of it goes by the bytes of the record, and asks of those behind it only
// that they are zeros, or that there are none. Nor does the change of a byte make the record look like room, since two
// of its bytes or more are not zero. A byte of the room itself that changes is cut as torn, or refused: no record is
// there.
//
// The price: four rare tears cannot be told from damage and are refused too, namely a payload that has within itself a
// valid frame of this or a later index; and of the records that are therefore not written to room, a lost sector, below
// the size that the file then has, that held nothing but the prefix; one that held nothing but the trailer and zeros;
// and any of a payload with long zero runs.
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
// Sizes are taken before the files are read, and an append writes a file from the end of its records on, so the bytes of
// a record that is under way are there from its first up to some byte. Then the file ends, and it looks like a torn
// one; or room goes on, and if the last sector that it is to have is not all zeros any more, but not complete either,
// then it looks corrupt. And a look is not of one moment: while its first bytes are read as room, later ones may be
// written. So a bad record at the end is looked at once more, with a fresh size. The first look has met bytes that are
// not zero, so the record was begun by then: now it is whole, or still under way and torn, or its last sector was being
// copied. For the latter there is a third look: what was found in all of its sectors was there, so all but the rest of
// one sector was copied before that look began. The looks are also for an Open of the service meanwhile, which cuts a torn
// record and has another written in its place, so that the first look may have met half of each; and for room that is
// cut off, which takes the end of what is read away.
//
// Where the first look meets nothing but zeros, the log ended there at the moment when the first of them was read.
//
// What copies the newest segment copies it up to where a scan has found the end of its records (Segment.End): below
// that, nothing changes any more. A plain copy of a file that has room may have zeros in the place of a record that was
// written while it was made, and later ones behind it.
//
// A list of a directory that changes may lack a new file in the middle, or have an old one that is gone. The successor
// of a file is named by the index that is due after it, so it is looked for by that name. If it is not there although
// there are later ones, then it was dropped if the file before it is gone too (ErrDropped), and else it is damage.
//
// # Assumptions
//
//   - A sector of 512 bytes is written wholly or not at all, to the disk, and also to the system's memory by a write
//     over what is there that a kill ends; and one that was never written reads as zeros.
//   - What a successful fsync covered stays. A failed fsync promises nothing, not even that a later one reports it:
//     hence the last record, the only one that can be in doubt, is written again by each Open before anybody sees it.
//   - A failed fsync of a directory, or of the size of a file, either left nothing behind, or stops the file system, as
//     it does where metadata is journaled: a later one that succeeds covers what the failed one should have.
//   - An fsync covers all that was written to the file before, through any handle.
//   - A reader that sees the size of a file sees all bytes below it, and a file that was made or removed is so for
//     every later look. Local Linux file systems keep to both; a network file system may not.
//   - The files of a whole segment do not vanish. A missing file in the middle is noticed by ReplayFrom if it is
//     behind the snapshot, and by Walk in any case; missing ones at the front by ReplayFrom. Missing ones at the end
//     look like a shorter log, which only a snapshot beyond that end gives away.
//   - Nobody else writes to the directory. Two Logs cannot: the file LOCK is locked with flock.
package wal
