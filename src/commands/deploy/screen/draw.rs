//! From the state of a deployment to lines that fit a terminal: a function from values to values.

use chrono::{DateTime, Utc};
use deployer::Direction;

use super::board::{Board, Heading, Place, Row, Standing};
use crate::render::{Tone, printable};

/// Colours a text.
pub(super) type Paint<'a> = &'a dyn Fn(Tone, &str) -> String;

/// The block, not wider than the terminal and leaving it a third of its height for what is printed above.
pub(super) fn lines(
    board: &Board,
    now: DateTime<Utc>,
    (width, height): (usize, usize),
    paint: Paint<'_>,
) -> Vec<String> {
    let elapsed = board.began.map(|began| clock(began, now)).unwrap_or_default();
    let done = board.hosts.iter().filter(|row| matches!(row.standing, Standing::Back { .. })).count();
    let work = board.hosts.iter().filter(|row| row.standing != Standing::Untouched).count();
    let way = if board.backing_out { "  TAKING BACK" } else { "" };
    let mut lines = vec![cut(&format!("{}  {elapsed}  {done}/{work} hosts{way}", board.title), width)];
    let room = (height * 2 / 3).max(4).saturating_sub(1 + board.clusters.len()).max(2);
    let shown = shown(board, room);
    let name = shown.iter().map(|row| row.host.as_str().len()).max().unwrap_or_default();
    let version = shown.iter().map(|row| row.version.chars().count()).max().unwrap_or_default();
    let line = |row: &Row| {
        let (mark, tone, text) = standing(row, now);
        let line = format!("{:name$} {:version$}  {text}", row.host, row.version);
        format!(" {} {}", paint(tone, mark), cut(&printable(&line), width.saturating_sub(3)))
    };
    for heading in &board.clusters {
        let (tone, text) = place(heading);
        lines.push(paint(tone, &cut(&text, width)));
        lines.extend(shown.iter().filter(|row| heading.hosts.contains(&row.host)).map(|row| line(row)));
    }
    let is_free = |row: &&&Row| !board.clusters.iter().any(|heading| heading.hosts.contains(&row.host));
    lines.extend(shown.iter().filter(is_free).map(|row| line(row)));
    lines.extend(hidden(board, &shown).map(|text| cut(&text, width)));
    lines
}

/// The rows for which there is room: those that failed and those that are worked on before the others.
fn shown(board: &Board, room: usize) -> Vec<&Row> {
    if board.hosts.len() <= room {
        return board.hosts.iter().collect();
    }
    let mut chosen: Vec<(usize, &Row)> = board.hosts.iter().enumerate().collect();
    chosen.sort_by_key(|(_, row)| urgency(row));
    chosen.truncate(room - 1);
    chosen.sort_by_key(|(index, _)| *index);
    chosen.into_iter().map(|(_, row)| row).collect()
}

fn urgency(row: &Row) -> u8 {
    match row.standing {
        Standing::Failed { .. } => 0,
        Standing::Working { .. } | Standing::Between { .. } => 1,
        Standing::Waiting | Standing::Staged => 2,
        Standing::Back { .. } => 3,
        Standing::Untouched => 4,
    }
}

/// What those are at for which there is no room.
fn hidden(board: &Board, shown: &[&Row]) -> Option<String> {
    let is_hidden = |row: &&Row| !shown.iter().any(|other| other.host == row.host);
    let hidden: Vec<&Row> = board.hosts.iter().filter(is_hidden).collect();
    let count = |urgency_is: u8| hidden.iter().filter(|row| urgency(row) == urgency_is).count();
    let words = ["failed", "at work", "waiting", "done", "as they should be"];
    let said: Vec<String> = (0..)
        .zip(words)
        .map(|(urgency, word)| (count(urgency), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    (!hidden.is_empty()).then(|| format!("   … and {} more: {}", hidden.len(), said.join(", ")))
}

/// Where a cluster is, and what was last seen of it.
fn place(heading: &Heading) -> (Tone, String) {
    let (tone, place) = match heading.place {
        Place::In => (Tone::Good, "IN"),
        Place::Leaving => (Tone::Busy, "leaving"),
        Place::Out => (Tone::Busy, "OUT"),
        Place::Returning => (Tone::Busy, "coming back"),
        Place::Stuck => (Tone::Bad, "STUCK"),
    };
    (tone, format!("CLUSTER {}  {place}  {}", heading.cluster, printable(&heading.seen)).trim_end().to_owned())
}

fn standing(row: &Row, now: DateTime<Utc>) -> (&'static str, Tone, String) {
    let back = |direction: &Direction| if *direction == Direction::Back { "back: " } else { "" };
    match &row.standing {
        Standing::Waiting => ("·", Tone::Faint, "waits".to_owned()),
        Standing::Untouched => ("●", Tone::Good, "as it should be".to_owned()),
        Standing::Staged => ("·", Tone::Faint, "staged".to_owned()),
        Standing::Working { step, direction, since, seen } => {
            ("▶", Tone::Busy, format!("{}{step} {} {seen}", back(direction), clock(*since, now)).trim_end().to_owned())
        }
        Standing::Between { step, direction } => ("▶", Tone::Busy, format!("{}{step} ok", back(direction))),
        Standing::Back { direction, at } => {
            let took = row.since.map(|since| clock(since, *at)).unwrap_or_default();
            let said = if *direction == Direction::Back { "is back where it was" } else { "healthy, serving" };
            ("✔", Tone::Good, format!("{said}  {took}"))
        }
        Standing::Failed { step, error } => ("✖", Tone::Bad, format!("{step}: {error}")),
    }
}

/// `00:18`, from one time to another.
fn clock(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let seconds = (to - from).num_seconds().max(0);
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// Cuts a text to a width, so that no line wraps: a wrapped one could not be drawn over.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use deployer::Step;

    use super::*;

    fn board() -> Board {
        let began: DateTime<Utc> = "2026-11-23T06:12:00Z".parse().unwrap();
        let row = |host: &str, version: &str, standing| Row {
            host: host.parse().unwrap(),
            version: version.to_owned(),
            standing,
            since: Some(began),
        };
        Board {
            title: "shop 4.2.0-118 → prod  D-0193".to_owned(),
            began: Some(began),
            hosts: vec![
                row(
                    "a1",
                    "4.2.0-118",
                    Standing::Back { direction: Direction::Onward, at: began + TimeDelta::seconds(41) },
                ),
                row(
                    "a2",
                    "4.1.7-112",
                    Standing::Working {
                        step: Step::Check,
                        direction: Direction::Onward,
                        since: began,
                        seen: "/health 503 (4)".to_owned(),
                    },
                ),
                row(
                    "a3",
                    "4.1.7-112",
                    Standing::Failed { step: Step::Start, error: "exit \u{1b}[2J code 1".to_owned() },
                ),
                row("b1", "4.1.7-112", Standing::Waiting),
            ],
            clusters: Vec::new(),
            backing_out: false,
            paused: false,
        }
    }

    fn drawn(width: usize, height: usize) -> Vec<String> {
        let now = "2026-11-23T06:13:18Z".parse().unwrap();
        lines(&board(), now, (width, height), &|_, text| text.to_owned())
    }

    #[test]
    fn a_row_for_each_host() {
        assert_eq!(
            drawn(80, 24),
            [
                "shop 4.2.0-118 → prod  D-0193  01:18  1/4 hosts",
                " ✔ a1 4.2.0-118  healthy, serving  00:41",
                " ▶ a2 4.1.7-112  check 01:18 /health 503 (4)",
                " ✖ a3 4.1.7-112  start: exit \\u{1b}[2J code 1",
                " · b1 4.1.7-112  waits",
            ]
        );
    }

    #[test]
    fn clusters_stand_above_their_hosts() {
        let heading = |cluster: &str, hosts: &[&str], place, seen: &str| Heading {
            cluster: cluster.parse().unwrap(),
            hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
            place,
            seen: seen.to_owned(),
        };
        let clusters = vec![
            heading("a", &["a1", "a2", "a3"], Place::Out, "conns 0"),
            heading("b", &["b1"], Place::In, "err 0.1%"),
        ];
        let board = Board { clusters, ..board() };
        let now = "2026-11-23T06:13:18Z".parse().unwrap();
        let drawn = lines(&board, now, (80, 24), &|_, text| text.to_owned());
        let begins: Vec<&str> = drawn.iter().map(|line| line.split("  ").next().unwrap()).collect();
        assert_eq!(
            begins[1..],
            ["CLUSTER a", " ✔ a1 4.2.0-118", " ▶ a2 4.1.7-112", " ✖ a3 4.1.7-112", "CLUSTER b", " · b1 4.1.7-112"]
        );
        assert_eq!((drawn[1].as_str(), drawn[5].as_str()), ("CLUSTER a  OUT  conns 0", "CLUSTER b  IN  err 0.1%"));
    }

    #[test]
    fn fits_the_terminal() {
        assert!(drawn(20, 24).iter().all(|line| line.chars().count() <= 20));
        let few = drawn(80, 5);
        assert_eq!(few.len(), 4, "{few:?}");
        assert!(few[1].contains("a2") && few[2].contains("a3"), "{few:?}");
        assert_eq!(few[3], "   … and 2 more: 1 waiting, 1 done");
    }
}
