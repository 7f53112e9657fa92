//! Apache's mod_proxy_balancer, by its balancer-manager page (mod_proxy_balancer's documentation, "balancer-manager").
//!
//! A worker is drained (`Drn`: only sessions that stick to it go there), then disabled (`Dis`: nothing goes there). The
//! page is asked from the balancer's own machine, so that `Require local` is enough.

use std::fmt;

use async_trait::async_trait;

use super::{BalancerError, Control, Drive, Member, Rotation, ServerState, Views};
use crate::Script;
use crate::environment::Endpoint;

/// An Apache, reached through the machine that it runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apache {
    /// Where `ssh` finds it.
    pub host: Endpoint,
    /// The balancer-manager as the machine itself reaches it.
    pub url: String,
    /// The balancer: `app` for `balancer://app`.
    pub balancer: String,
}

/// A worker as the page shows it.
#[derive(Debug, PartialEq, Eq)]
struct Worker {
    url: String,
    nonce: String,
    state: ServerState,
}

#[async_trait]
impl Drive for Apache {
    async fn view(&self, control: &Control<'_>, members: &[Member<'_>]) -> Result<Views, BalancerError> {
        let workers = self.workers(control).await?;
        let named: Vec<_> = workers.into_iter().map(|worker| (worker.url, worker.state)).collect();
        Ok(super::driver::named(members, &named, |url, member| is_server(url, member.server)))
    }

    async fn set(&self, control: &Control<'_>, member: &Member<'_>, to: Rotation) -> Result<(), BalancerError> {
        let workers = self.workers(control).await?;
        let Some(worker) = workers.iter().find(|worker| is_server(&worker.url, member.server)) else {
            let known = workers.into_iter().map(|worker| worker.url).collect();
            return Err(BalancerError::NoServer {
                balancer: self.to_string(),
                server: member.server.to_owned(),
                known,
            });
        };
        let (drained, disabled) = match to {
            Rotation::In => (0, 0),
            Rotation::Draining => (1, 0),
            Rotation::Out => (0, 1),
        };
        let form = format!(
            "b={}&w={}&nonce={}&w_status_N={drained}&w_status_D={disabled}",
            encode(&self.balancer),
            encode(&worker.url),
            encode(&worker.nonce)
        );
        let script = control
            .change("change of the balancer-manager", &[include_str!("../scripts/apache_set.sh")])
            .set("URL", &self.url)
            .set("FORM", form);
        control.run(&self.host, &script).await?;
        Ok(())
    }
}

impl Apache {
    async fn workers(&self, control: &Control<'_>) -> Result<Vec<Worker>, BalancerError> {
        let script = Script::new("view of the balancer-manager", &[include_str!("../scripts/apache_view.sh")])
            .set("URL", &self.url);
        let page = control.ask(&self.host, &script).await?;
        parse(&page, &self.balancer).map_err(|problem| BalancerError::Answer { balancer: self.to_string(), problem })
    }
}

impl fmt::Display for Apache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Apache on `{}` (balancer `{}`)", self.host.name, self.balancer)
    }
}

/// Whether a worker is meant: by its URL, its host and port, or its host.
fn is_server(url: &str, server: &str) -> bool {
    let place = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = place.split('/').next().unwrap_or_default();
    url == server || place == server || place.rsplit_once(':').is_some_and(|(host, _)| host == server)
}

/// Reads the page: the rows of the table whose first column is `Worker URL`, behind links that name the balancer.
fn parse(page: &str, balancer: &str) -> Result<Vec<Worker>, String> {
    let mut columns = None;
    let mut workers = Vec::new();
    for line in page.lines() {
        if line.contains("<th>Worker URL</th>") {
            let cells: Vec<String> = cells(line, "th").collect();
            let position = |name: &str| {
                cells.iter().position(|cell| cell == name).ok_or_else(|| format!("the page has no column `{name}`"))
            };
            columns = Some((position("Status")?, position("Busy")?));
        }
        let Some((status_column, busy_column)) = columns else { continue };
        let Some(link) = line.split_once("<a href=\"").and_then(|(_, rest)| rest.split_once('"')) else { continue };
        let query = link.0.split_once('?').map_or("", |(_, query)| query).replace("&amp;", "&");
        let value = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        let (Some(of), Some(url), Some(nonce)) = (value("b"), value("w"), value("nonce")) else { continue };
        if of != balancer {
            continue;
        }
        let wrong = || format!("the page has the row `{line}`");
        let cells: Vec<String> = cells(line, "td").collect();
        let status = cells.get(status_column).ok_or_else(wrong)?.clone();
        let busy = cells.get(busy_column).and_then(|cell| cell.parse().ok()).ok_or_else(wrong)?;
        workers.push(Worker { url: url.to_owned(), nonce: nonce.to_owned(), state: state(status, busy) });
    }
    if workers.is_empty() { Err(format!("the page has no workers of `balancer://{balancer}`")) } else { Ok(workers) }
}

/// The texts of a row's cells, without what is marked up in them.
fn cells<'a>(row: &'a str, tag: &'a str) -> impl Iterator<Item = String> + 'a {
    row.split(&format!("<{tag}>"))
        .skip(1)
        .map(move |cell| {
            let cell = cell.split(&format!("</{tag}>")).next().unwrap_or_default();
            let text = cell.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
            text.collect::<String>().trim().to_owned()
        })
        .collect::<Vec<_>>()
        .into_iter()
}

fn state(status: String, busy: u64) -> ServerState {
    let flags: Vec<&str> = status.split_whitespace().collect();
    let has = |flag: &str| flags.contains(&flag);
    let rotation = if has("Dis") || has("Stop") {
        Rotation::Out
    } else if has("Drn") {
        Rotation::Draining
    } else {
        Rotation::In
    };
    let serving = rotation == Rotation::In && has("Ok") && !has("Err");
    ServerState { status, rotation, serving, connections: Some(busy), counters: None }
}

/// Encodes a value of a form.
fn encode(value: &str) -> String {
    let letter = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    value.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Apache 2.4.68 writes it, but for the lines that do not matter.
    fn page(first: &str, second: &str) -> String {
        let row = |worker: &str, status: &str, busy: u32| {
            format!(
                "<tr>\n<td><a href=\"/balancer-manager?b=app&amp;w=http://{worker}&amp;nonce=ddc2d5c8-429a\">\
                 http://{worker}</a></td><td></td><td></td><td>1.00</td><td>0</td><td>{status} </td><td>12</td>\
                 <td>{busy}</td><td>0</td><td>  0 </td><td>  0 </td></tr>\n"
            )
        };
        format!(
            "<h3>LoadBalancer Status for <a href=\"/balancer-manager?b=app&amp;nonce=ddc2d5c8-429a\">balancer://app</a>\
             </h3>\n<table><tr><th>MaxMembers</th><th>Path</th></tr>\n<tr><td>2 [2 Used]</td>\n<td>/</td>\n</tr>\n\
             </table>\n<table><tr><th>Worker URL</th><th>Route</th><th>RouteRedir</th><th>Factor</th><th>Set</th>\
             <th>Status</th><th>Elected</th><th>Busy</th><th>Load</th><th>To</th><th>From</th></tr>\n{}{}</table>\n",
            row("web1:8080", first, 2),
            row("web2:8080", second, 0),
        )
    }

    #[test]
    fn reads_the_page() {
        let workers = parse(&page("Init Ok", "Init Drn Ok"), "app").unwrap();
        assert_eq!((workers[0].url.as_str(), workers[0].nonce.as_str()), ("http://web1:8080", "ddc2d5c8-429a"));
        assert_eq!((workers[0].state.serving, workers[0].state.connections), (true, Some(2)));
        assert!(workers[1].state.rotation == Rotation::Draining && workers[1].state.is_drained());
        let workers = parse(&page("Init Dis", "Init Err"), "app").unwrap();
        assert!(workers[0].state.rotation == Rotation::Out && !workers[0].state.is_drained());
        assert!(workers[1].state.rotation == Rotation::In && !workers[1].state.serving);
    }

    #[test]
    fn refuses_other_pages() {
        assert!(parse("<html>It works!</html>", "app").unwrap_err().contains("no workers"));
        assert!(parse(&page("Init Ok", "Init Ok"), "shop").unwrap_err().contains("`balancer://shop`"));
        let changed = page("Init Ok", "Init Ok").replace("<th>Busy</th>", "");
        assert!(parse(&changed, "app").unwrap_err().contains("no column `Busy`"));
        let changed = page("Init Ok", "Init Ok").replace("<td>2</td>", "<td>two</td>");
        assert!(parse(&changed, "app").unwrap_err().contains("has the row"));
    }

    #[test]
    fn a_worker_goes_by_its_host() {
        for server in ["web1", "web1:8080", "http://web1:8080"] {
            assert!(is_server("http://web1:8080", server), "{server}");
        }
        assert!(!is_server("http://web10:8080", "web1") && !is_server("http://web1:8080", "web"));
        assert_eq!(encode("http://web1:8080/a b"), "http%3A%2F%2Fweb1%3A8080%2Fa%20b");
    }
}
