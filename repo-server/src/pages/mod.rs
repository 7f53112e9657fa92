//! The web pages: what people read of a repository. Pure functions from what is known to HTML and Atom; all that a package,
//! a commit or a request says is escaped where it is written, in [`template`].

mod catalog;
mod difference;
mod environments;
mod event;
mod feed;
mod jars;
mod lists;
mod notes_article;
mod package_path;
mod progress;
mod signature;
mod template;
mod texts;
mod version;
mod visible;
mod written;

pub(crate) use catalog::Catalog;
pub(crate) use difference::{Compared, Difference, Side};
pub(crate) use environments::{DeploymentPage, EnvironmentFeed, EnvironmentPage, EnvironmentsPage};
pub(crate) use event::{Event, events, events_of};
pub(crate) use feed::Feed;
pub(crate) use jars::{AsOf, Bounds, JarSearch, JarsPage, Running};
pub(crate) use lists::{ChannelPage, HomePage, PackagePage, PackagesPage, SearchPage, TimelinePage};
pub(crate) use notes_article::NotesArticle;
pub(crate) use package_path::of_package;
pub(crate) use template::{PageError, Shell, asset, problem_page};
pub(crate) use version::{FilesPage, VersionPage};
pub(crate) use visible::Visible;
