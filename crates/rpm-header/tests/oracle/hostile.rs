//! Damaged and hostile packages: an error or a header, never a panic, and no memory beyond a bound.

use std::process::Command;

use rpm_header::PackageHeader;

const MUTATIONS: u64 = 20_000;
/// The address space that the child may have, KiB. What is read takes a few MiB; the rest is the program itself.
const ADDRESS_SPACE: &str = "262144";
const IN_CHILD: &str = "RPM_HEADER_HOSTILE_CHILD";

#[test]
fn truncations_are_errors() {
    let bytes = crate::builder::build_plain();
    let end = read(&bytes).unwrap().header_end as usize;
    assert!(end < bytes.len());
    for size in 0..end {
        assert!(read(&bytes[..size]).is_err(), "cut to {size} bytes");
    }
    assert_eq!(read(&bytes[..end]).unwrap(), read(&bytes).unwrap());
}

/// Runs itself again with little memory, where an allocation by a size that is merely claimed aborts the process.
#[test]
fn mutations_neither_panic_nor_take_memory() {
    if std::env::var_os(IN_CHILD).is_some() {
        return mutate();
    }
    let child = Command::new("sh")
        .args(["-c", "ulimit -v $1 && shift && exec \"$@\"", "sh", ADDRESS_SPACE])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "hostile::mutations_neither_panic_nor_take_memory", "--nocapture"])
        .env(IN_CHILD, "1")
        .output()
        .unwrap();
    let output = format!("{}{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success(), "{output}");
    assert!(output.contains("1 passed"), "{output}");
}

fn mutate() {
    let bytes = crate::builder::build_plain();
    let header = read(&bytes).unwrap();
    let (index, end) = (header.header_start as usize, header.header_end as usize);
    let mut random = Random(0x5eed);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..MUTATIONS {
        let mut mutated = bytes[..end].to_owned();
        for _ in 0..=random.below(4) {
            // Half of the time in the index of the main header.
            let range = if random.below(2) == 0 { &mut mutated[index..index + 1024] } else { &mut mutated[..] };
            mutate_once(range, &mut random);
        }
        match read(&mutated) {
            Ok(header) => {
                accepted += 1;
                header.signatures.iter().for_each(|signature| drop(signature.info()));
            }
            Err(_) => refused += 1,
        }
    }
    assert!(accepted > 0 && refused > 0);
}

/// Changes a byte, or puts a number where it hurts: at the edges of integers, and near to the header's sizes.
fn mutate_once(bytes: &mut [u8], random: &mut Random) {
    let numbers = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff, 0x1_0000, 0x0fff_ffff, 0x1000_0000, 1009, 9];
    let at = random.below(bytes.len() as u64 - 4) as usize;
    match random.below(3) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.below(256) as u8,
        _ => {
            let number: u32 = numbers[random.below(numbers.len() as u64) as usize];
            let at = at / 4 * 4;
            bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
        }
    }
}

fn read(mut bytes: &[u8]) -> Result<PackageHeader, rpm_header::ReadHeaderError> {
    PackageHeader::read(&mut bytes)
}

/// xorshift64: the same sequence in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
