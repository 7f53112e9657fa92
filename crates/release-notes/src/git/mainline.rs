//! Which commits count, and what each of them tells: merges with what they brought, reverts, copies.

use std::collections::{HashMap, HashSet};

use super::Commit;
use super::merge::Merge;
use super::message::Message;
use crate::{Change, Kind, Prose, Rules};

/// What a commit, or a merge with all that it brought, tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// The change itself.
    pub(crate) change: Change,
    /// What else it says: upgrade notes and known issues.
    pub(crate) besides: Vec<Change>,
}

/// A commit within its history.
struct Node<'a> {
    commit: &'a Commit,
    message: Message,
    is_merge: bool,
    /// The merge of the main line that brought it.
    brought_by: Option<usize>,
    is_cancelled: bool,
}

/// Makes changes of commits, which come newest first as `git log` gives them, and stay so.
///
/// A merge's title is a change unless the commits that it brought say themselves what they are; they have the merge's
/// references then. What a later commit takes back is not told, nor is the taking back.
pub(crate) fn told(commits: &[Commit], rules: &Rules) -> Vec<Told> {
    let mut nodes: Vec<Node<'_>> = commits.iter().map(|commit| node(commit, rules)).collect();
    assign_merges(&mut nodes);
    cancel(&mut nodes);
    let mut brought: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        if let Some(merge) = node.brought_by {
            brought.entry(merge).or_default().push(index);
        }
    }
    let mut told = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        if node.is_cancelled || node.brought_by.is_some() {
            continue;
        }
        if !node.is_merge {
            told.extend(tell(node, rules));
            continue;
        }
        let work: Vec<&Node<'_>> = brought.get(&index).into_iter().flatten().map(|inner| &nodes[*inner]).collect();
        told.extend(tell_merge(node, &work, rules));
    }
    told
}

fn node<'a>(commit: &'a Commit, rules: &Rules) -> Node<'a> {
    let is_merge = commit.parents.len() > 1;
    let message = if is_merge {
        let merge = Merge::read(&commit.message);
        Message::read(merge.title.as_deref().unwrap_or_default(), &merge.rest, &merge.about, rules)
    } else {
        let (title, rest) = commit.message.trim_start().split_once('\n').unwrap_or((commit.message.trim(), ""));
        Message::read(title, rest, "", rules)
    };
    Node { commit, message, is_merge, brought_by: None, is_cancelled: false }
}

/// Finds for each commit the merge on the main line (the first parents' line from the newest) that brought it. What came
/// with several is the oldest one's, since that brought it first.
fn assign_merges(nodes: &mut [Node<'_>]) {
    let places: HashMap<&str, usize> =
        nodes.iter().enumerate().map(|(index, node)| (node.commit.id.as_str(), index)).collect();
    let parents: Vec<Vec<usize>> = nodes
        .iter()
        .map(|node| node.commit.parents.iter().filter_map(|parent| places.get(parent.as_str()).copied()).collect())
        .collect();
    let mut main_line = Vec::new();
    let mut next = (!nodes.is_empty()).then_some(0);
    while let Some(index) = next {
        main_line.push(index);
        let first = nodes[index].commit.parents.first();
        next = first.and_then(|parent| places.get(parent.as_str()).copied());
    }
    let on_main_line: HashSet<usize> = main_line.iter().copied().collect();
    let merges: Vec<usize> = main_line.into_iter().rev().filter(|index| nodes[*index].is_merge).collect();
    for merge in merges {
        let mut open: Vec<usize> = parents[merge].clone();
        while let Some(index) = open.pop() {
            if !on_main_line.contains(&index) && nodes[index].brought_by.is_none() {
                nodes[index].brought_by = Some(merge);
                open.extend(&parents[index]);
            }
        }
    }
}

/// Marks what a later commit takes back, and the taking back; copies of what is there; and what is to be melted in.
fn cancel(nodes: &mut [Node<'_>]) {
    for index in 0..nodes.len() {
        if nodes[index].is_cancelled {
            continue;
        }
        let reverts = nodes[index].message.reverts.clone();
        for id in reverts {
            let Some(target) = (index + 1..nodes.len()).find(|other| nodes[*other].commit.id.starts_with(&id)) else {
                continue;
            };
            for (other, node) in nodes.iter_mut().enumerate() {
                node.is_cancelled |= other == target || node.brought_by == Some(target);
            }
            nodes[index].is_cancelled = true;
        }
        let copy_of = nodes[index].message.copy_of.clone();
        let is_copy = copy_of.is_some_and(|id| nodes.iter().any(|node| node.commit.id == id && !node.is_cancelled));
        nodes[index].is_cancelled |= is_copy || nodes[index].message.is_fixup;
    }
}

fn tell_merge(merge: &Node<'_>, work: &[&Node<'_>], rules: &Rules) -> Vec<Told> {
    let work: Vec<&&Node<'_>> = work.iter().filter(|node| !node.is_merge && !node.is_cancelled).collect();
    let has_title = merge.message.title.as_str() != "(without a title)";
    let is_told = work.iter().any(|node| node.message.is_told);
    if is_told && !merge.message.is_told || !has_title {
        let told = work.into_iter().filter_map(|node| tell(node, rules));
        return told.map(|told| with_references(told, merge)).collect();
    }
    let Some(mut told) = tell(merge, rules) else { return Vec::new() };
    for node in work {
        let Some(inner) = tell(node, rules) else { continue };
        // The merge's own text is what is read; the commits' texts are the way there.
        told.change.absorb(Change { description: None, scope: None, ..inner.change });
        told.besides.extend(inner.besides);
    }
    vec![told]
}

fn with_references(mut told: Told, merge: &Node<'_>) -> Told {
    for change in std::iter::once(&mut told.change).chain(&mut told.besides) {
        merge.message.references.iter().for_each(|reference| change.refer(reference.clone()));
    }
    told.change.customer = told.change.customer.take().or_else(|| merge.message.customer.clone());
    told
}

fn tell(node: &Node<'_>, rules: &Rules) -> Option<Told> {
    if node.is_cancelled {
        return None;
    }
    let Message { kind, title, scope, breaking, description, customer, withheld, references, .. } =
        node.message.clone();
    let commits = vec![rules.commit(&node.commit.id)];
    let authors = vec![node.commit.author.clone()];
    let whole = Change { kind, title, description, customer, withheld, scope, breaking, references, commits, authors };
    let beside = |kind, text: &Prose| {
        let (title, description) = text.title_and_rest();
        Change { kind, title, description, customer: None, withheld: false, breaking: false, ..whole.clone() }
    };
    let upgrades = node.message.upgrade_notes.iter().map(|text| beside(Kind::UpgradeNote, text));
    let issues = node.message.known_issues.iter().map(|text| beside(Kind::KnownIssue, text));
    let besides = upgrades.chain(issues).collect();
    Some(Told { change: whole, besides })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Line;

    /// `id parent parent: message`, newest first.
    fn commits(rows: &[(&str, &str)]) -> Vec<Commit> {
        let rows = rows.iter().map(|(ids, message)| {
            let mut ids = ids.split(' ').map(|id| id.repeat(8));
            Commit {
                id: ids.next().unwrap(),
                parents: ids.collect(),
                time: 0,
                author: Line::new("Ana"),
                message: (*message).to_owned(),
            }
        });
        rows.collect()
    }

    fn titles(rows: &[(&str, &str)]) -> Vec<String> {
        let told = told(&commits(rows), &Rules::default());
        let row = |told: &Told| {
            let references: Vec<&str> = told.change.references.iter().map(|one| one.id.as_str()).collect();
            format!("{} {} {}", told.change.kind, told.change.title, references.join(",")).trim_end().to_owned()
        };
        told.iter().map(row).collect()
    }

    #[test]
    fn merges_tell_what_their_commits_do_not() {
        let rows = [
            ("6 5 4", "Merge pull request #2 from a/b\n\nAdd carts"),
            ("5 1 3", "Merge branch 'SHOP-1-x' into main\n\nCarts\n\nSee merge request !9"),
            ("4 2", "wip SHOP-5"),
            ("3 2", "fix: empty carts"),
            ("2 1", "more"),
            ("1 0", "feat: first"),
        ];
        // What both brought (2) came with the older merge.
        let expected =
            ["feature Add carts #2,SHOP-5", "fix empty carts SHOP-1,!9", "other more SHOP-1,!9", "feature first"];
        assert_eq!(titles(&rows), expected);
    }

    #[test]
    fn reverts_cancel() {
        let revert = |id: &str| format!("Revert \"x\"\n\nThis reverts commit {}.", id.repeat(8));
        let (of_1, of_2, of_9) = (revert("1"), revert("2"), revert("9"));
        assert!(titles(&[("2 1", &of_1), ("1 0", "feat: a")]).is_empty());
        assert_eq!(titles(&[("3 2", &of_2), ("2 1", &of_1), ("1 0", "feat: a")]), ["feature a"]);
        assert_eq!(titles(&[("2 1", &of_9), ("1 0", "feat: a")]), ["other Revert \"x\"", "feature a"]);
        let merged = [("4 3", revert("3")), ("3 1 2", "Merge branch 'x'".to_owned()), ("2 1", "fix: b".to_owned())];
        let merged: Vec<(&str, &str)> = merged.iter().map(|(ids, message)| (*ids, message.as_str())).collect();
        assert!(titles(&merged).is_empty());
    }

    #[test]
    fn copies_and_fixups_are_not_told_twice() {
        let copy = format!("fix: a\n\n(cherry picked from commit {})", "1".repeat(8));
        assert_eq!(titles(&[("3 2", "fixup! fix: a"), ("2 1", &copy), ("1 0", "fix: a")]), ["fix a"]);
    }

    #[test]
    fn upgrade_notes_stand_besides() {
        let told = told(&commits(&[("1 0", "feat!: a\n\nBREAKING CHANGE: do b\n\nRefs: SHOP-1")]), &Rules::default());
        assert_eq!((told[0].besides.len(), told[0].besides[0].title.as_str()), (1, "do b"));
        assert_eq!(told[0].besides[0].references.len(), 1);
        assert!(told[0].change.breaking);
    }
}
