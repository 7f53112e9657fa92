//! What can be wrong with an environment file, and where.

use std::fmt;
use std::path::PathBuf;

use crate::ParseIdentifierError;

/// Says why an environment could not be read from its file.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// The file could not be read.
    #[error("environment file can't be read")]
    Read(#[source] std::io::Error),
    /// The file does not hold.
    #[error("{}: {problem}", Place(file, *line))]
    Invalid {
        /// The file.
        file: PathBuf,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong there.
        problem: EnvironmentProblem,
    },
}

/// Says what is wrong at a place of an environment file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentProblem {
    /// Not TOML, or not of the shape that an environment has.
    #[error("{message}{}", Hint(nearest.as_deref()))]
    Shape {
        /// What the parser says.
        message: String,
        /// The nearest key that is known, for an unknown one.
        nearest: Option<String>,
    },
    /// A name that can't be one.
    #[error(transparent)]
    Name(#[from] ParseIdentifierError),
    /// A package's name that can't be one.
    #[error(transparent)]
    Package(#[from] nevra::ParseNameError),
    /// `${NAME}` for a variable that is not set.
    #[error("variable `{0}` is not set in the process's environment; `${{{0}:-default}}` gives it a default")]
    Variable(String),
    /// `${` without `}`, or without a name in it.
    #[error("`{0}` holds `${{` without a variable's name and `}}`")]
    VariableShape(String),
    /// A time that can't be one.
    #[error("`{0}` is not a time, such as `250ms`, `30s` or `2m`, above zero")]
    Time(String),
    /// A text with characters that the field can't have.
    #[error("{field} `{value}` is {rule}")]
    Text {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it, and what is allowed.
        rule: &'static str,
    },
    /// A list that needs at least one entry.
    #[error("{0} is empty; at least one is needed")]
    Empty(&'static str),
    /// One setting without another that it needs.
    #[error("{what} needs {needs}")]
    Needs {
        /// What was set.
        what: &'static str,
        /// What has to be set with it.
        needs: &'static str,
    },
    /// Two hosts, or two servers, of one name.
    #[error("{field} `{value}` is there twice")]
    Twice {
        /// The field.
        field: &'static str,
        /// The value.
        value: String,
    },
    /// `min_serving` is missing although balancers could tell how many serve.
    #[error("`min_serving` is missing: how many hosts must serve at any time, 0 to {0}")]
    MinServingMissing(usize),
    /// `min_serving` or `batch_size` can never hold.
    #[error("`min_serving` = {min_serving} with `batch_size` = {batch_size} can't hold with {hosts} hosts")]
    NeverServing {
        /// The value of `min_serving`.
        min_serving: usize,
        /// The value of `batch_size`.
        batch_size: super::Portion,
        /// How many hosts there are.
        hosts: usize,
    },
    /// A strategy that can't be.
    #[error("{0}")]
    Strategy(&'static str),
    /// A pattern that stands for no names.
    #[error("pattern `{pattern}` can't be read: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it, or what is allowed.
        why: &'static str,
    },
    /// A pattern beside a host's name that stands for another number of values.
    #[error("`{value}` stands for {count}, the hosts' `name` for {names}; each host needs one")]
    Beside {
        /// The pattern.
        value: String,
        /// How many values it stands for.
        count: usize,
        /// How many hosts there are.
        names: usize,
    },
    /// A host or a role that the environment does not have.
    #[error(
        "no host of the environment is `{0}`; a cluster's hosts are named, as patterns too, or chosen by `role:NAME`"
    )]
    UnknownHost(String),
    /// Clusters with proxies, and nothing that sends requests to those.
    #[error("clusters with `proxies` need a `[[front]]`, which is told of the proxies, and `proxies` in each of them")]
    Front,
    /// The command that tells the hosts fails, or tells nothing that can be read.
    #[error("inventory `{command}` {why}")]
    Inventory {
        /// The command.
        command: String,
        /// Why.
        why: String,
    },
    /// `min_serving` without anything that could tell how many serve.
    #[error("`min_serving` needs a `[[balancer]]`: without one nothing tells how many hosts serve")]
    MinServingUnseen,
}

struct Place<'a>(&'a std::path::Path, Option<usize>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.display())?;
        self.1.map_or(Ok(()), |line| write!(formatter, ":{line}"))
    }
}

struct Hint<'a>(Option<&'a str>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |nearest| write!(formatter, "; did you mean `{nearest}`?"))
    }
}
