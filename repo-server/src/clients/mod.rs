//! What tells yum clients where a channel is: the `.repo` file, the metalink, the mirror list. Pure functions.

mod metalink;
mod repo_file;

pub(crate) use metalink::{Metalink, mirror_list};
pub(crate) use repo_file::RepoFile;
