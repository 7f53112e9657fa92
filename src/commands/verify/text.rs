//! A chain as people read it: one link to a line, what is not proven in capitals.

use super::Report;
use super::link::{Link, Standing};
use crate::render::{Printer, printable};

pub(super) fn print(report: &Report, printer: &Printer) {
    printer.data("ledgers");
    for link in &report.ledgers {
        printer.data(&format!("  {}", line(link)));
    }
    for host in &report.hosts {
        printer.data(&format!("{} in {}", printable(&host.host), host.environment));
        for link in &host.links {
            printer.data(&format!("  {}", line(link)));
        }
        for package in &host.packages {
            printer.data(&format!("  {}", package.nevra));
            for link in &package.links {
                printer.data(&format!("    {}", line(link)));
            }
        }
    }
    let count = |standing| report.links().filter(|link| link.standing == standing).count();
    let (proven, open, none) = (count(Standing::Proven), count(Standing::NotProven), count(Standing::NotThere));
    printer.talk(&format!("{proven} links proven, {open} not proven, {none} not there"));
}

fn line(link: &Link) -> String {
    let standing = match link.standing {
        Standing::Proven => "proven",
        Standing::NotProven => "NOT PROVEN",
        Standing::NotThere => "not there",
    };
    let against = link.held_against.as_ref().map(|against| format!("  [{}]", printable(against))).unwrap_or_default();
    format!("{standing:<10}  {:<10}  {}{against}", link.link, printable(&link.found))
}
