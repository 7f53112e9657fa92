//! Mutations that keep an RPM an RPM: half of them change one field of one tag in a header's index to a value that
//! parsers trip over, the rest are libFuzzer's own.

use libfuzzer_sys::fuzzer_mutate;

const LEAD_SIZE: usize = 96;
const INTRO_SIZE: usize = 16;
const ENTRY_SIZE: usize = 16;
const MAGIC: [u8; 4] = [0x8e, 0xad, 0xe8, 0x01];
const ODD_NUMBERS: [u32; 12] =
    [0, 1, 2, 15, 16, 0x7f, 0xff, 0xffff, 0x0010_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
/// Tags whose values are read, and the parallel arrays among them.
const TAGS: [u32; 24] = [
    63, 1000, 1001, 1002, 1003, 1004, 1022, 1027, 1047, 1048, 1049, 1050, 1080, 1081, 1082, 1112, 1116, 1117, 1118,
    1065, 5008, 5046, 5097, 269,
];
/// Texts that writers of XML trip over.
const ODD_TEXTS: [&[u8]; 8] = [
    b"\xef\xbf\xbe",
    b"\xef\xbf\xbf",
    b"\xed\xa0\x80",
    b"\xff\xfe",
    b"]]>",
    b"<&\">'",
    b"\x01\x1f\x0b\x7f",
    b"\xf4\x90\x80\x80",
];

/// A generator that is good enough here: splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }

    fn odd_number(&mut self) -> u32 {
        ODD_NUMBERS[self.below(ODD_NUMBERS.len())]
    }
}

/// Mutates the first `size` bytes of `data` and gives the new size, at most `max_size`.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(u64::from(seed));
    let headers = headers(&data[..size]);
    if headers.is_empty() || random.below(2) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let header = headers[random.below(headers.len())];
    match random.below(6) {
        0 => header.mutate_intro(data, &mut random),
        1 | 2 => header.mutate_text(data, &mut random),
        _ => header.mutate_entry(data, &mut random),
    }
    size
}

/// Where a header is within the file.
#[derive(Clone, Copy)]
struct Header {
    start: usize,
    entries: usize,
    data: usize,
    end: usize,
}

fn headers(bytes: &[u8]) -> Vec<Header> {
    let mut found = Vec::new();
    let mut start = LEAD_SIZE;
    while let Some(intro) = bytes.get(start..start + INTRO_SIZE) {
        if intro[..4] != MAGIC {
            break;
        }
        let (entries, length) = (number(intro, 8) as usize, number(intro, 12) as usize);
        let Some(data) = entries.checked_mul(ENTRY_SIZE).and_then(|index| index.checked_add(start + INTRO_SIZE)) else {
            break;
        };
        let Some(end) = data.checked_add(length).filter(|end| *end <= bytes.len() && entries > 0) else {
            break;
        };
        found.push(Header { start, entries, data, end });
        start = end.next_multiple_of(8);
    }
    found
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

impl Header {
    fn mutate_intro(self, data: &mut [u8], random: &mut Random) {
        let at = self.start + 8 + 4 * random.below(2);
        let value = match random.below(3) {
            0 => number(data, at).wrapping_add(1),
            1 => number(data, at).wrapping_sub(1),
            _ => random.odd_number(),
        };
        data[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }

    fn mutate_entry(self, data: &mut [u8], random: &mut Random) {
        let entry = self.data - ENTRY_SIZE * (1 + random.below(self.entries));
        let field = random.below(4);
        let at = entry + 4 * field;
        let value = match (field, random.below(4)) {
            (0, 0 | 1) => TAGS[random.below(TAGS.len())],
            (1, 0..3) => random.below(11) as u32,
            (2, 0 | 1) => random.below(self.end - self.data + 1) as u32,
            (_, 0) => number(data, at).wrapping_add(1),
            (_, 1) => number(data, at).wrapping_sub(1),
            _ => random.odd_number(),
        };
        data[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }

    fn mutate_text(self, data: &mut [u8], random: &mut Random) {
        let text = ODD_TEXTS[random.below(ODD_TEXTS.len())];
        if let Some(room) = (self.end - self.data).checked_sub(text.len()) {
            let at = self.data + random.below(room + 1);
            data[at..at + text.len()].copy_from_slice(text);
        }
    }
}
