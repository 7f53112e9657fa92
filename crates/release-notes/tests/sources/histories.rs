//! Notes of real histories: this project's own, and one of thousands of commits in the styles that are about.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use release_notes::{Format, Kind, Range, ReleaseNotes, Repository, Rules, Sources, Templates, TicketTypes};

fn notes(directory: &Path, range: &str) -> ReleaseNotes {
    let commits = Repository::new(directory).commits(&range.parse::<Range>().unwrap()).unwrap();
    let sources = Sources { commits, ..Sources::default() };
    ReleaseNotes::new(sources.changes(&Rules::default(), &TicketTypes::default()))
}

/// What a commit of the large history is titled.
fn title(number: usize) -> String {
    match number % 10 {
        0 => format!("feat(cart): way {number} to pay (#{number})"),
        1 => format!("fix: NPE in `Parser<{number}>` <script>alert({number})</script>"),
        2 => format!("SHOP-{number}: Orders of {number} are faster"),
        3 => format!("[SHOP-{number}] Fix rounding of {number} ¢"),
        4 => format!("Bump library from 1.{number} to 1.{}", number + 1),
        5 => format!("storage/engine: avoid copy {number}"),
        6 => format!("chore(deps): update {number}"),
        7 => format!("Revert \"fix: number {number}\""),
        8 => format!("🎉 Add emoji \u{202e}{number}\u{202c}"),
        _ => "wip".to_owned(),
    }
}

/// Makes a history by `git fast-import`: each tenth commit is a merge of the one before, each 7th reverts what it names.
fn large_history(directory: &Path, count: usize) {
    let run = |arguments: &[&str]| {
        assert!(Command::new("git").arg("-C").arg(directory).args(arguments).status().unwrap().success());
    };
    run(&["init", "--quiet", "--initial-branch", "main"]);
    let mut stream = String::new();
    for number in 1..=count {
        let is_merge = number % 10 == 9;
        let title =
            if is_merge { format!("Merge pull request #{number} from ana/x\n\nWork {number}") } else { title(number) };
        let message =
            format!("{title}\n\nProse of {number}.\n\nFixes: #{number}\nSigned-off-by: Ana <ana@example.org>\n");
        let branch = if number % 10 == 8 { "side" } else { "main" };
        let _ = write!(
            stream,
            "commit refs/heads/{branch}\nmark :{number}\ncommitter Ana <ana@example.org> {} +0000\ndata {}\n{message}\n",
            1_700_000_000 + number,
            message.len()
        );
        if number > 1 {
            // A side branch leaves the main line before it and comes back with the merge after it.
            let first = if is_merge { number - 2 } else { number - 1 };
            let _ = writeln!(stream, "from :{first}");
            if is_merge {
                let _ = writeln!(stream, "merge :{}", number - 1);
            }
        }
        stream.push('\n');
    }
    let mut import = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
}

#[test]
fn thousands_of_commits_in_no_time() {
    let directory = tempfile::tempdir().unwrap();
    large_history(directory.path(), 5000);
    let started = Instant::now();
    let thousand = notes(directory.path(), "main~1000..main");
    let html = Templates::usual().unwrap().render(&thousand, Format::Html).unwrap();
    let took = started.elapsed();
    assert!(took < Duration::from_secs(1), "a thousand commits took {took:?}");
    assert!(html.contains("alert(") && !html.contains("<script>alert") && !html.contains('\u{202e}'));

    let all = notes(directory.path(), "..main");
    assert_eq!(all.to_json(), notes(directory.path(), "..main").to_json(), "the same again");
    let count = |kind| all.of_kind(kind).count();
    let row = (count(Kind::Feature), count(Kind::Fix), count(Kind::Internal), count(Kind::Other));
    // Of each ten: way to pay, and the merge's title (`Work`, other) for what it brought; NPE and rounding; bump and deps;
    // orders, storage, the revert of what is not there, and the merge.
    assert_eq!(row, (500, 1000, 1000, 2000));
    let first = all.of_kind(Kind::Feature).next().unwrap();
    assert_eq!((first.title.as_str(), first.references[0].id.as_str()), ("way 5000 to pay", "#5000"));
    let merged = all.of_kind(Kind::Other).find(|change| change.title.as_str() == "Work 4999").unwrap();
    let ids: Vec<&str> = merged.references.iter().map(|reference| reference.id.as_str()).collect();
    assert_eq!((merged.commits.len(), ids), (2, vec!["#4999", "#4998"]));
}

#[test]
fn this_projects_own_history() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let commits = Repository::new(here).commits(&"..HEAD".parse().unwrap()).unwrap();
    let told = notes(here, "..HEAD");
    assert!(!told.changes.is_empty() && told.changes.len() <= commits.len() * 2);
    assert_eq!(told.to_json(), notes(here, "..HEAD").to_json());
    let again = ReleaseNotes::from_json(&told.to_json()).unwrap();
    assert_eq!(again, told);
}

#[test]
fn git_says_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let error = Repository::new(directory.path()).commits(&"a..b".parse().unwrap()).unwrap_err().to_string();
    assert!(error.contains("git can't tell `a..b`") && error.contains("not a git repository"), "{error}");
    large_history(directory.path(), 3);
    let error = Repository::new(directory.path()).commits(&"v1..main".parse().unwrap()).unwrap_err().to_string();
    assert!(error.contains("bad revision"), "{error}");
    assert!(Repository::new(directory.path()).commits(&"main..main".parse().unwrap()).unwrap().is_empty());
}
