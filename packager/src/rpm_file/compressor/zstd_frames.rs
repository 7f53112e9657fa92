//! zstd (RFC 8878): frames that its library compresses on threads of its own, and between them, where blocks do not get
//! smaller, as those of a WAR full of jars, frames of raw blocks, which cost nothing. Readers take frames that follow each
//! other for one stream (section 3); what all of it can be compressed is one frame.

use std::io::{self, Write};

use zstd::stream::raw::{CParameter, Encoder, Operation};
use zstd::stream::zio::Writer;

use crate::rpm_file::blocks::{Block, Piece};

use super::probe::Probe;
use super::stream::{Encode, Sender};

/// Bytes that zstd hands to a thread at a time, at least: less costs ratio, more costs memory. A job is never smaller
/// than the overlap that the level asks for.
const JOB_SIZE: u32 = 1024 * 1024;

/// As many blocks in a row have to be noise before the library is not asked any more: to change costs it a flush.
const PATIENCE: usize = 4;

/// Magic, no checksum, no size, and a window of 128 KiB (RFC 8878, section 3.1.1).
const RAW_FRAME: [u8; 6] = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x38];
/// The most bytes of a block in such a window.
const RAW_MAX: usize = 128 * 1024;
const RAW_HEADER: usize = 3;
/// An empty raw block that is the last one.
const RAW_END: [u8; 3] = [1, 0, 0];

/// Compresses blocks of a stream.
pub(super) struct ZstdFrames {
    state: State,
    probe: Probe,
    /// How many blocks in a row were noise.
    noise: usize,
}

/// The frame that is open.
enum State {
    Compressed(Writer<Sender, Encoder<'static>>),
    Raw(Sender, Encoder<'static>),
    /// Changing failed.
    Broken,
}

impl ZstdFrames {
    /// Makes one. With threads, be it one, what comes out does not depend on their number.
    pub(super) fn new(out: Sender, level: i32, workers: usize) -> io::Result<Self> {
        let mut encoder = Encoder::new(level)?;
        encoder.set_parameter(CParameter::NbWorkers(u32::try_from(workers).unwrap_or(1)))?;
        encoder.set_parameter(CParameter::JobSize(JOB_SIZE))?;
        Ok(Self {
            state: State::Compressed(Writer::new_with_capacity(out, encoder, RAW_MAX)),
            probe: Probe::default(),
            noise: 0,
        })
    }

    /// Ends the frame that is open, and begins one of the other kind.
    fn change(&mut self) -> io::Result<()> {
        self.state = match std::mem::replace(&mut self.state, State::Broken) {
            State::Compressed(mut writer) => {
                writer.finish()?;
                let (mut out, encoder) = writer.into_inner();
                out.write_all(&RAW_FRAME)?;
                State::Raw(out, encoder)
            }
            State::Raw(mut out, mut encoder) => {
                out.write_all(&RAW_END)?;
                encoder.reinit()?;
                State::Compressed(Writer::new_with_capacity(out, encoder, RAW_MAX))
            }
            State::Broken => return Err(broken()),
        };
        Ok(())
    }
}

impl Encode for ZstdFrames {
    fn encode(&mut self, block: &Block) -> io::Result<()> {
        self.noise = if self.probe.may_shrink(block) { 0 } else { self.noise + 1 };
        let is_raw = self.noise > PATIENCE;
        if is_raw != matches!(self.state, State::Raw(..)) {
            self.change()?;
        }
        match &mut self.state {
            State::Compressed(writer) => writer.write_all(block),
            State::Raw(out, _) => out.pass(raw_blocks(block)),
            State::Broken => Err(broken()),
        }
    }

    fn finish(self) -> io::Result<Sender> {
        match self.state {
            State::Compressed(mut writer) => {
                writer.finish()?;
                Ok(writer.into_inner().0)
            }
            State::Raw(mut out, _) => {
                out.write_all(&RAW_END)?;
                Ok(out)
            }
            State::Broken => Err(broken()),
        }
    }
}

/// Raw blocks: each a header, and a part of what came in.
fn raw_blocks(block: &Block) -> Vec<Piece> {
    let starts = (0..block.len()).step_by(RAW_MAX);
    let pieces = starts.flat_map(|start| {
        let end = block.len().min(start + RAW_MAX);
        // The size stands above the type, 0 for raw, and the flag of the last block.
        let header = ((end - start) as u32) << 3;
        [header.to_le_bytes()[..RAW_HEADER].to_vec().into(), Piece::new(block, start..end)]
    });
    pieces.collect()
}

fn broken() -> io::Error {
    io::Error::other("the compressor has failed before")
}
