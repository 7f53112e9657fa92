//! `pkg man`

use std::io::Write;
use std::path::PathBuf;

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::cli::Cli;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Write the man pages of these commands into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pkg man target/man && man -l target/man/pkg-deploy.1")]
pub(crate) struct Args {
    /// The folder; it is made.
    directory: PathBuf,
}

pub(crate) fn run(args: &Args, printer: &Printer) -> Result<Exit, Failure> {
    fs_err::create_dir_all(&args.directory).map_err(Failure::failed)?;
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    write_page(args, &program, printer)?;
    Ok(Exit::Done)
}

/// Writes the page of `command`, and those of the commands below it.
fn write_page(args: &Args, command: &clap::Command, printer: &Printer) -> Result<(), Failure> {
    // No date, so that the same program always writes the same; a blank, since nothing would not be quoted and what follows
    // would be taken for it.
    let source = concat!("pkg ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).manual("pkg").date(" ").source(source);
    let path = args.directory.join(man.get_filename());
    let mut page = Vec::new();
    render(&man, command, &mut page).map_err(Failure::failed)?;
    fs_err::write(&path, page).map_err(Failure::failed)?;
    printer.data(&path.display().to_string());
    let shown = |command: &&clap::Command| !command.is_hide_set() && command.get_name() != "help";
    command.get_subcommands().filter(shown).try_for_each(|below| write_page(args, below, printer))
}

/// The page as `Man::render` makes it, but with the examples' lines as they are.
fn render(man: &Man, command: &clap::Command, page: &mut dyn Write) -> std::io::Result<()> {
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(page)?;
    }
    if command.get_subcommands().any(|below| !below.is_hide_set()) {
        man.render_subcommands_section(page)?;
    }
    let Some(text) = command.get_after_long_help().or(command.get_after_help()).map(ToString::to_string) else {
        return Ok(());
    };
    let mut closing = Roff::new();
    closing.control("SH", [if text.contains("Example") { "EXAMPLES" } else { "NOTES" }]).control("nf", []);
    for line in text.lines() {
        closing.text([roman(line)]);
    }
    closing.control("fi", []);
    page.write_all(closing.render().as_bytes())
}
