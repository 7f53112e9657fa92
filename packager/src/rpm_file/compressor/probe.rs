//! Tells quickly whether a block is compressed already, as most of a WAR is.

use std::io;

/// As many samples of a block are tried, and so many bytes of each: a sixteenth of a block.
const SAMPLES: usize = 4;
const SAMPLE: usize = 4 * 1024;

/// What gets smaller by less than this part is not worth the time: 1.5%.
const WORTH: usize = 64;

/// Tries samples with zstd, which is a good deal faster than deflate.
pub(super) struct Probe {
    compressor: io::Result<zstd::bulk::Compressor<'static>>,
    /// Where it puts what nobody needs.
    scratch: Vec<u8>,
}

impl Default for Probe {
    fn default() -> Self {
        let scratch = Vec::with_capacity(zstd::zstd_safe::compress_bound(SAMPLE));
        Self { compressor: zstd::bulk::Compressor::new(1), scratch }
    }
}

impl Probe {
    /// Whether one of the samples gets smaller. The answer depends on the block alone.
    pub(super) fn may_shrink(&mut self, block: &[u8]) -> bool {
        let step = (block.len() / SAMPLES).max(SAMPLE);
        // Each from the middle of its part: where blocks begin, archives have their headers.
        let offset = (step - SAMPLE) / 2;
        block.chunks(step).any(|part| {
            let rest = part.get(offset..).unwrap_or(part);
            self.shrinks(&rest[..rest.len().min(SAMPLE)])
        })
    }

    fn shrinks(&mut self, bytes: &[u8]) -> bool {
        let Ok(compressor) = &mut self.compressor else { return true };
        self.scratch.clear();
        let tried = compressor.compress_to_buffer(bytes, &mut self.scratch);
        tried.map_or(true, |length| length < bytes.len() - bytes.len() / WORTH)
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn tells_noise_from_text() {
        let mut noise = vec![0; 256 * 1024];
        StdRng::seed_from_u64(1).fill(&mut noise[..]);
        let mut probe = Probe::default();
        assert!(!probe.may_shrink(&noise));
        assert!(!probe.may_shrink(&noise[..SAMPLE]));
        assert!(probe.may_shrink(&[b'a'; 300]));
        let text: Vec<u8> = (0..40_000).flat_map(|number| format!("line {number}\n").into_bytes()).collect();
        assert!(probe.may_shrink(&text[..noise.len()]));
        let quarter = noise.len() / 4;
        noise[..quarter].copy_from_slice(&text[..quarter]);
        assert!(probe.may_shrink(&noise), "a part is enough");
    }
}
