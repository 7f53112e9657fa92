//! rpm's comparison of one version or release string with another.

use std::cmp::Ordering;

/// Compares two version (or release) strings as rpm does.
///
/// Strings are cut into runs of digits and runs of letters; everything else only separates. Runs of digits compare as
/// numbers of any length and are newer than runs of letters. `~` sorts before everything, even the end of the string;
/// `^` sorts after the end but before any further run. Source: rpm 4.18, `rpmio/rpmvercmp.c`.
#[must_use]
pub fn rpmvercmp(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    loop {
        left = skip_separators(left);
        right = skip_separators(right);
        match (left.first(), right.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                left = &left[1..];
                right = &right[1..];
                continue;
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (Some(b'^'), None) => return Ordering::Greater,
            (None, Some(b'^')) => return Ordering::Less,
            (Some(b'^'), Some(_)) => return Ordering::Less,
            (Some(_), Some(b'^')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            (Some(_), None) => return Ordering::Greater,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), Some(_)) => {}
        }
        let numeric = left[0].is_ascii_digit();
        let (left_run, left_rest) = split_run(left, numeric);
        let (right_run, right_rest) = split_run(right, numeric);
        if right_run.is_empty() {
            return if numeric { Ordering::Greater } else { Ordering::Less };
        }
        let order = if numeric { compare_numbers(left_run, right_run) } else { left_run.cmp(right_run) };
        if order != Ordering::Equal {
            return order;
        }
        left = left_rest;
        right = right_rest;
    }
}

fn skip_separators(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'~' | b'^'));
    &text[start.unwrap_or(text.len())..]
}

fn split_run(text: &[u8], numeric: bool) -> (&[u8], &[u8]) {
    let belongs = |byte: &u8| if numeric { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() };
    text.split_at(text.iter().position(|byte| !belongs(byte)).unwrap_or(text.len()))
}

fn compare_numbers(left: &[u8], right: &[u8]) -> Ordering {
    let left = trim_zeros(left);
    let right = trim_zeros(right);
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn trim_zeros(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of rpm 4.18 (`rpm --eval '%{lua: print(rpm.vercmp("…", "…"))}'`); a test of the end-to-end suite asks rpm itself.
    #[test]
    fn agrees_with_rpm() {
        for (left, right, expected) in [
            ("1.0", "1.0", 0),
            ("1.0", "2.0", -1),
            ("2.0.1", "2.0.1a", -1),
            ("5.5p10", "5.5p1", 1),
            ("10xyz", "10.1xyz", -1),
            ("xyz.4", "8", -1),
            ("1.0010", "1.9", 1),
            ("1.05", "1.5", 0),
            ("1.0~rc1", "1.0", -1),
            ("1.0~rc1", "1.0~rc2", -1),
            ("1.0~rc1~git123", "1.0~rc1", -1),
            ("1.0^", "1.0", 1),
            ("1.0^git1", "1.0.1", -1),
            ("1.0^git1~pre", "1.0^git1", -1),
            ("1.0~rc1^git1", "1.0~rc1", 1),
            ("1_0", "1.0", 0),
            ("a", "1", -1),
            ("1.0.", "1.0", 0),
            ("99999999999999999999999", "99999999999999999999998", 1),
            ("1.1-9.gffffff", "1.1-10.g000000", -1),
        ] {
            assert_eq!(rpmvercmp(left, right) as i8, expected, "{left} against {right}");
            assert_eq!(rpmvercmp(right, left) as i8, -expected, "{right} against {left}");
        }
    }
}
