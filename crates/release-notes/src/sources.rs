//! Everything that tells of changes, put together: a pure function.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::{Told, told};
use crate::{Change, Commit, Fragment, Kind, Prose, ReferenceKind, Rules, Ticket, TicketTypes};

/// What was collected.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The commits, newest first.
    pub commits: Vec<Commit>,
    /// The tickets that the version fixes, or that its commits name.
    pub tickets: Vec<Ticket>,
    /// The tickets that are open, and known.
    pub known_issues: Vec<Ticket>,
    /// The fragments.
    pub fragments: Vec<Fragment>,
}

impl Sources {
    /// The keys of the tickets that commits and fragments name, and that are not among the tickets yet.
    #[must_use]
    pub fn missing_tickets(&self, rules: &Rules) -> Vec<String> {
        let known: BTreeSet<&str> = self.tickets.iter().map(|ticket| ticket.key.as_str()).collect();
        let told = told(&self.commits, rules);
        let changes = told.iter().map(|told| &told.change).chain(self.fragments.iter().map(|one| &one.change));
        let references = changes.flat_map(|change| &change.references);
        let tickets = references.filter(|reference| reference.kind == ReferenceKind::Ticket);
        let keys: BTreeSet<&str> = tickets.map(|ticket| ticket.id.as_str()).collect();
        keys.difference(&known).map(|key| (*key).to_owned()).collect()
    }

    /// Puts it all together. Of a change that several sources tell of, a fragment's words count more than a ticket's, and
    /// those more than a commit's; numbers, commits and authors add up.
    #[must_use]
    pub fn changes(&self, rules: &Rules, types: &TicketTypes) -> Vec<Change> {
        let mut tickets: Vec<Change> = self.tickets.iter().map(|ticket| linked(ticket, rules, types)).collect();
        let places: BTreeMap<&str, usize> =
            self.tickets.iter().enumerate().map(|(place, ticket)| (ticket.key.as_str(), place)).collect();
        let (mut commits, mut besides) = (Vec::new(), Vec::new());
        for Told { change, besides: more } in told(&self.commits, rules) {
            besides.extend(more);
            let of_tickets: Vec<usize> =
                change.references.iter().filter_map(|one| places.get(one.id.as_str()).copied()).collect();
            for place in &of_tickets {
                let ticket = &mut tickets[*place];
                if ticket.kind == Kind::Other {
                    ticket.kind = change.kind;
                }
                ticket.absorb(Change { description: None, scope: None, ..change.clone() });
            }
            if of_tickets.is_empty() {
                commits.push(change);
            }
        }
        let mut rest: Vec<Option<Change>> = tickets.into_iter().chain(commits).map(Some).collect();
        let mut changes: Vec<Change> =
            self.fragments.iter().map(|fragment| with_what_it_is_about(fragment, &mut rest)).collect();
        changes.extend(rest.into_iter().flatten());
        changes.extend(besides);
        let known = self.known_issues.iter().map(|ticket| linked(ticket, rules, types));
        changes.extend(known.map(|change| Change { kind: Kind::KnownIssue, ..change }));
        changes
    }
}

fn linked(ticket: &Ticket, rules: &Rules, types: &TicketTypes) -> Change {
    let mut change = ticket.change(types);
    change.references = change.references.into_iter().map(|reference| rules.link(reference)).collect();
    change.description = change.description.as_ref().and_then(first_paragraph);
    change
}

/// Tickets' texts are long: their first paragraph says what it is about.
fn first_paragraph(text: &Prose) -> Option<Prose> {
    Prose::new(text.as_str().trim_start().split("\n\n").next()?)
}

/// A fragment's change, with the tickets and commits that have one of its numbers taken out of the others and into it. What
/// is beside a change (an upgrade note, a known issue) takes nothing.
fn with_what_it_is_about(fragment: &Fragment, rest: &mut [Option<Change>]) -> Change {
    let mut change = fragment.change.clone();
    if matches!(change.kind, Kind::UpgradeNote | Kind::KnownIssue) {
        return change;
    }
    let ids: BTreeSet<String> = change.references.iter().map(|reference| reference.id.to_string()).collect();
    for slot in rest {
        let is_about = |other: &Change| other.references.iter().any(|reference| ids.contains(reference.id.as_str()));
        if let Some(other) = slot.take_if(|other| is_about(other)) {
            change.absorb(Change { description: None, scope: None, ..other });
        }
    }
    change
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Line, Reference};

    fn commit(id: &str, message: &str) -> Commit {
        Commit {
            id: id.to_owned(),
            parents: Vec::new(),
            time: 0,
            author: Line::new("Ana"),
            message: message.to_owned(),
        }
    }

    fn ticket(key: &str, issue_type: &str, summary: &str) -> Ticket {
        Ticket {
            key: key.to_owned(),
            issue_type: issue_type.to_owned(),
            summary: Line::new(summary),
            description: Prose::new("First.\n\nSecond."),
            customer: None,
            url: None,
            fix_versions: Vec::new(),
        }
    }

    #[test]
    fn the_better_words_win_and_numbers_add_up() {
        let mut fragment = Change::new(Kind::Feature, Line::new("Carts are remembered."));
        fragment.refer(Reference::new(ReferenceKind::Ticket, "SHOP-1"));
        let sources = Sources {
            commits: vec![
                commit("e", "chore: tidy SHOP-3"),
                commit("d", "fix: till SHOP-2\n\nCustomer-note: The till opens."),
                commit("c", "feat: carts SHOP-1 (#7)\n\nUpgrade-note: empty the cache"),
                commit("b", "feat: alone (SHOP-9)"),
                commit("a", "test: SHOP-2"),
            ],
            tickets: vec![
                ticket("SHOP-1", "Story", "Carts"),
                ticket("SHOP-2", "Bug", "Till <b>"),
                ticket("SHOP-3", "Task", "Order"),
            ],
            known_issues: vec![ticket("SHOP-8", "Bug", "Slow on Mondays")],
            fragments: vec![Fragment { name: "SHOP-1.feature".to_owned(), change: fragment }],
        };
        let rules = Rules::default();
        assert_eq!(sources.missing_tickets(&rules), ["SHOP-9"]);
        let changes = sources.changes(&rules, &TicketTypes::default());
        let row = |change: &Change| {
            let references: Vec<&str> = change.references.iter().map(|one| one.id.as_str()).collect();
            format!("{} {} [{}] {}", change.kind, change.title, references.join(","), change.commits.len())
        };
        let expected = [
            "feature Carts are remembered. [SHOP-1,#7] 1",
            "fix Till <b> [SHOP-2] 2",
            "internal Order [SHOP-3] 1",
            "feature alone [SHOP-9] 1",
            "upgrade empty the cache [SHOP-1,#7] 1",
            "known-issue Slow on Mondays [SHOP-8] 0",
        ];
        assert_eq!(changes.iter().map(row).collect::<Vec<_>>(), expected);
        assert_eq!(changes[1].customer.as_ref().unwrap().as_str(), "The till opens.");
        assert_eq!(changes[1].description.as_ref().unwrap().as_str(), "First.");
        assert_eq!(changes[0].references[0].title.as_ref().unwrap().as_str(), "Carts");
    }
}
