//! The package spec: a TOML file, read strictly, with every variable resolved and every value validated.

mod content;
mod context_path;
mod dependency;
mod environments;
mod install_path;
mod located;
mod package_spec;
mod raw_contents;
mod raw_scripts;
mod raw_spec;
mod raw_system;
mod raw_version;
mod resolve;
mod resolve_contents;
mod resolve_scripts;
mod resolve_version;
mod resolver;
mod rich_dependency;
mod schema;
mod spec_error;
mod spec_file;
mod subpackages;
mod system;
mod tomcat;
mod value;
mod variables;

pub use content::{Attributes, ConfigurationFolder, Content, ContentKind};
pub use context_path::ContextPath;
pub use environments::Choice;
pub use install_path::InstallPath;
pub use package_spec::{PackageSpec, Sbom};
pub use resolve::Overrides;
pub use resolver::Expand;
pub use schema::schema;
pub use spec_error::{Location, SpecError};
pub use spec_file::SpecFile;
pub use system::{SystemUser, Unit};
pub use tomcat::{Descriptor, TomcatApplication};
pub use value::ValueError;
pub use variables::{VariableError, Variables};

pub(crate) use resolver::read_text;
