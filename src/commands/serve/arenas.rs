//! How much memory the allocator keeps for itself.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// What glibc's malloc reads at the start of a process (mallopt(3)).
const VARIABLE: &str = "MALLOC_ARENA_MAX";

/// Has glibc keep two heaps instead of eight for each processor: each gives little back of what once lay in it. After an import of
/// 10,000 packages that is a quarter of the server's memory.
///
/// Only the environment tells glibc so: this process starts itself anew, with everything that it was given, unless somebody has
/// set how many there are.
pub(crate) fn keep_few() {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    if is_set(VARIABLE) || is_set("GLIBC_TUNABLES") {
        return;
    }
    let mut arguments = std::env::args_os();
    let (Ok(program), Some(name)) = (std::env::current_exe(), arguments.next()) else { return };
    // It returns only where it fails: then it goes on as it is, with more memory.
    let _error = Command::new(program).arg0(name).args(arguments).env(VARIABLE, "2").exec();
}
