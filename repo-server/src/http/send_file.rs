//! From a file into a connection without a copy in between.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use rustix::fs::sendfile;
use rustix::io::{Errno, IoSliceMut, ReadWriteFlags, preadv2};
use tokio::io::Interest;

use super::connection::Watched;

/// How much is sent at a time, bytes.
const CHUNK: u64 = 512 << 10;

/// Sends a range of a file.
pub(super) async fn send_file(connection: &Watched, file: &File, range: Range<u64>) -> io::Result<()> {
    let (stream, pulse) = (connection.stream(), connection.pulse());
    let mut at = range.start;
    while at < range.end {
        let size = CHUNK.min(range.end - at);
        // Whoever waits for the disk shall not hold up the others of this thread.
        if !is_in_memory(file, at) || !is_in_memory(file, at + size - 1) {
            bring_in(file, at, size).await?;
        }
        let send = || match sendfile(stream, file, Some(&mut at), size as usize) {
            Ok(sent) => {
                pulse.taken();
                Ok(sent)
            }
            Err(Errno::AGAIN | Errno::INTR) => {
                pulse.full();
                Err(io::ErrorKind::WouldBlock.into())
            }
            Err(error) => Err(error.into()),
        };
        if stream.async_io(Interest::WRITABLE, send).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Tells whether a byte can be read without waiting. Where the file system can't tell, it is taken for no.
fn is_in_memory(file: &File, at: u64) -> bool {
    preadv2(file, &mut [IoSliceMut::new(&mut [0])], at, ReadWriteFlags::NOWAIT) == Ok(1)
}

async fn bring_in(file: &File, at: u64, size: u64) -> io::Result<()> {
    let file = file.try_clone()?;
    let read = move || file.read_exact_at(&mut vec![0; size as usize], at);
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
