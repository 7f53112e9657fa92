//! The plain page at `/`: the channels, and how to use them.

use std::fmt::Write;

use repo_api::ChannelName;

use crate::state::Channel;

/// Renders the page of some channels. Everything in it has passed a type that allows no markup.
pub(super) fn render(channels: &[(&ChannelName, &Channel)]) -> String {
    let mut rows = String::new();
    for (name, channel) in channels {
        let (commit, changed) = match channel.view() {
            Some((commit, view)) => (commit, view.at.format("%Y-%m-%d %H:%M UTC").to_string()),
            None => (0, String::new()),
        };
        // Writing to a String never fails.
        let _ = writeln!(
            rows,
            "<tr><td>{name}</td><td>{}</td><td>{commit}</td><td>{changed}</td>\
             <td><a href=\"/{name}/{name}.repo\">{name}.repo</a></td>\
             <td><a href=\"/api/v1/channels/{name}/packages\">packages</a></td></tr>",
            channel.listed().len(),
        );
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>pkg repository</title>\n\
         <style>body{{font:16px/1.5 sans-serif;margin:2em}}td,th{{text-align:left;padding:.2em 1.5em .2em 0}}</style>\
         </head>\n<body>\n<h1>pkg repository</h1>\n\
         <table>\n<tr><th>channel</th><th>packages</th><th>commit</th><th>changed</th><th></th><th></th></tr>\n\
         {rows}</table>\n\
         <p>Copy a .repo file to /etc/yum.repos.d/ to install from its channel. \
         Metadata is signed by <a href=\"/keys/repository.asc\">this key</a>.</p>\n</body>\n</html>\n"
    )
}
