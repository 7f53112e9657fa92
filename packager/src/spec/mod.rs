//! The package spec: a TOML file, read strictly, with every variable resolved and every value validated.

mod context_path;
mod package_spec;
mod raw_spec;
mod requirement;
mod resolve;
mod spec_error;
mod value;
mod variables;

pub use context_path::ContextPath;
pub use package_spec::{PackageSpec, TomcatApplication};
pub use raw_spec::SpecFile;
pub use requirement::{Comparison, Requirement};
pub use resolve::Overrides;
pub use spec_error::{Location, SpecError};
pub use value::ValueError;
pub use variables::{VariableError, Variables};
