//! Many hosts in few words: `web[025-036], db1`, as environment files write them.

use deployer::HostName;

/// From how many hosts on numbers become a range.
const RANGE: usize = 3;

/// From how many hosts on, of which the same is to be said, it is said once.
const MANY: usize = 8;

/// The names at which the same is to be said: each, or all of them together where they are many.
pub(crate) fn rows(hosts: &[&HostName]) -> Vec<String> {
    if hosts.len() < MANY {
        return hosts.iter().map(ToString::to_string).collect();
    }
    vec![format!("{} ({} hosts)", folded(hosts), hosts.len())]
}

/// The names, in their order; those that follow upon each other by their numbers as a range.
pub(super) fn folded(hosts: &[&HostName]) -> String {
    let mut texts = Vec::new();
    let mut rest = hosts;
    while let Some(first) = rest.first() {
        let count = rest.windows(2).take_while(|two| follows(two[0].as_str(), two[1].as_str())).count() + 1;
        // Two numbers of a name may both count up; the first that does is the one.
        let (run, after) = rest.split_at(count);
        match run.last().and_then(|last| range(first.as_str(), last.as_str())) {
            Some(range) if count >= RANGE => texts.push(range),
            _ => texts.extend(run.iter().map(ToString::to_string)),
        }
        rest = after;
    }
    texts.join(", ")
}

/// What stands before the last number of a name, its digits, and what stands behind.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    // `web07.example.com`: the number of the host's own name, not of its domain.
    let own = name.split('.').next().unwrap_or(name);
    let end = own.rfind(|character: char| character.is_ascii_digit())? + 1;
    let start = own[..end].rfind(|character: char| !character.is_ascii_digit()).map_or(0, |before| before + 1);
    Some((&name[..start], &name[start..end], &name[end..]))
}

fn follows(left: &str, right: &str) -> bool {
    let (Some((before, number, after)), Some((other_before, other, other_after))) = (parts(left), parts(right)) else {
        return false;
    };
    let next = number.parse::<u64>().ok().and_then(|number| number.checked_add(1));
    (before, after) == (other_before, other_after)
        && next.is_some_and(|next| other == format!("{next:0width$}", width = number.len()))
}

fn range(first: &str, last: &str) -> Option<String> {
    let ((before, from, after), (_, to, _)) = (parts(first)?, parts(last)?);
    Some(format!("{before}[{from}-{to}]{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_ranges() {
        for (hosts, expected) in [
            ("web1", "web1"),
            ("web1 web2", "web1, web2"),
            ("web1 web2 web3", "web[1-3]"),
            ("web08 web09 web10 web11 db1", "web[08-11], db1"),
            ("web8 web9 web10", "web[8-10]"),
            ("web1 web3 web5", "web1, web3, web5"),
            ("web3 web2 web1", "web3, web2, web1"),
            ("a1.x2.org a2.x2.org a3.x2.org a3.x3.org", "a[1-3].x2.org, a3.x3.org"),
            ("a b c", "a, b, c"),
            ("10.0.0.1 10.0.0.2 10.0.0.3", "10.0.0.1, 10.0.0.2, 10.0.0.3"),
            ("w01a w02a w03a w03b", "w[01-03]a, w03b"),
        ] {
            let names: Vec<HostName> = hosts.split(' ').map(|name| name.parse().unwrap()).collect();
            assert_eq!(folded(&names.iter().collect::<Vec<_>>()), expected);
        }
    }
}
