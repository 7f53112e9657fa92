//! `pkg`: RPM packaging, a yum repository and deployment over SSH. This file is the whole program on one screen:
//! parse, dispatch, print the failure, leave with the exit code that `exit.rs` documents.

mod cli;
mod commands;
#[cfg(test)]
mod documented_commands;
mod exit;
mod render;
mod warnings;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(&cli.output);
    match cli.command {
        Command::Serve(_) => commands::serve::arenas::keep_few(),
        _ => warnings::start(&printer),
    }
    let result = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(dispatch(cli.command, &printer)),
        Err(error) => Err(Failure::failed(error)),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            printer.failure(&failure);
            failure.exit.into()
        }
    }
}

async fn dispatch(command: Command, printer: &Printer) -> Result<Exit, Failure> {
    match command {
        Command::Attach(args) => commands::attach::run(args, printer).await,
        Command::Build(args) => commands::build::run(args, printer).await,
        Command::Export(args) => commands::export::run(args, printer).await,
        Command::Import(args) => commands::import::run(args, printer).await,
        Command::Index(args) => commands::index::run(args, printer).await,
        Command::Init(args) => commands::init::run(args, printer),
        Command::Inspect(args) => commands::inspect::run(&args, printer).await,
        Command::Serve(args) => commands::serve::run(args, printer).await,
        Command::Publish(args) => commands::publish::run(args, printer).await,
        Command::Promote(args) => commands::promote::run(args, printer).await,
        Command::Fsck(args) => commands::fsck::run(args, printer).await,
        Command::Gc(args) => commands::gc::run(args, printer).await,
        Command::Withdraw(args) => commands::withdraw::run(args, printer).await,
        Command::List(args) => commands::list::run(args, printer).await,
        Command::Diff(args) => commands::diff::run(args, printer).await,
        Command::Log(args) => commands::log::run(args, printer).await,
        Command::FindJar(args) => commands::find_jar::run(args, printer).await,
        Command::Channel(args) => commands::channel::run(args, printer).await,
        Command::Tag(args) => commands::tag::run(args, printer).await,
        Command::Key(args) => commands::key::run(args, printer).await,
        Command::Token(args) => commands::token::run(args, printer).await,
        Command::Notes(args) => commands::notes::run(args, printer).await,
        Command::Env(args) => commands::env::run(args, printer).await,
        Command::Plan(args) => commands::plan::run(args, printer).await,
        Command::Deploy(args) => commands::deploy::run(args, printer).await,
        Command::Rollback(args) => commands::rollback::run(args, printer).await,
        Command::Resume(args) => commands::resume::run(args, printer).await,
        Command::Status(args) => commands::status::run(args, printer).await,
        Command::History(args) => commands::history::run(args, printer).await,
        Command::Why(args) => commands::why::run(args, printer).await,
        Command::Verify(args) => commands::verify::run(args, printer).await,
        Command::Approve(args) => commands::approve::run(args, printer).await,
        Command::Run(args) => commands::run::run(args, printer).await,
        Command::Hosts(args) => commands::hosts::run(args, printer).await,
        Command::Completions(args) => commands::completions::run(&args, printer),
        Command::Man(args) => commands::man::run(&args, printer),
    }
}
