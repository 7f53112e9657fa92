//! From the state of a deployment to lines that fit a terminal: a function from values to values.

use chrono::{DateTime, Utc};
use deployer::Direction;

use super::board::{Board, Row, Standing};
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
    let room = (height * 2 / 3).max(4) - 1;
    let shown: Vec<&Row> = if board.hosts.len() <= room {
        board.hosts.iter().collect()
    } else {
        board.hosts.iter().filter(|row| is_urgent(row)).take(room - 1).collect()
    };
    let name = shown.iter().map(|row| row.host.as_str().len()).max().unwrap_or_default();
    let version = shown.iter().map(|row| row.version.chars().count()).max().unwrap_or_default();
    for row in &shown {
        let (mark, tone, text) = standing(row, now);
        let line = format!("{:name$} {:version$}  {text}", row.host, row.version);
        lines.push(format!(" {} {}", paint(tone, mark), cut(&printable(&line), width.saturating_sub(3))));
    }
    let hidden = board.hosts.len() - shown.len();
    if hidden > 0 {
        lines.push(cut(&format!("   … and {hidden} more, which wait or are done"), width));
    }
    lines
}

/// Whether a row is shown even where there is no room for all.
fn is_urgent(row: &Row) -> bool {
    matches!(row.standing, Standing::Working { .. } | Standing::Between { .. } | Standing::Failed { .. })
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
    fn fits_the_terminal() {
        assert!(drawn(20, 24).iter().all(|line| line.chars().count() <= 20));
        let few = drawn(80, 5);
        assert_eq!(few.len(), 4, "{few:?}");
        assert!(few[1].contains("a2") && few[2].contains("a3") && few[3].contains("and 2 more"), "{few:?}");
    }
}
