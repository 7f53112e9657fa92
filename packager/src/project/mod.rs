//! A project as it stands in a directory, and the spec that it can begin with.

mod maven;
mod modules;
mod starter;
mod surveyed;

pub use starter::starter;
pub use surveyed::{Configuration, Project, ProjectError};
