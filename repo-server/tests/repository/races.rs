//! A publisher that publishes, promotes and withdraws, and a dozen clients that read all the while: none of them is ever
//! told of something that is not there, or not as it was told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::Rng;

use crate::reader::{Reader, Way};
use crate::support::{Running, author, channel, rpm};

const WAYS: [Way; 3] = [Way::BaseUrl, Way::MirrorList, Way::Metalink];
/// Each way, to two channels, twice.
const READERS: usize = 12;

/// For how long; `RACE_SECONDS` says otherwise.
fn duration() -> Duration {
    let seconds = std::env::var("RACE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    Duration::from_secs(seconds)
}

/// What the readers did, all together.
#[derive(Default)]
struct Count {
    refreshes: AtomicU64,
    packages: AtomicU64,
    over: AtomicBool,
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_what_is_not_there() {
    let server = Arc::new(Running::new().await);
    server.lab.publish("dev", vec![rpm("app", "0", "first")]).await;
    promote(&server, "app-0-1").await;
    let count = Arc::new(Count::default());
    let readers: Vec<_> =
        (0..READERS).map(|index| tokio::spawn(read(index, Arc::clone(&server), Arc::clone(&count)))).collect();
    let commits = publish(&server, Instant::now() + duration()).await;
    count.over.store(true, Ordering::Relaxed);
    let mut failures = Vec::new();
    for reader in readers {
        failures.extend(reader.await.unwrap());
    }
    let (refreshes, packages) = (count.refreshes.load(Ordering::Relaxed), count.packages.load(Ordering::Relaxed));
    let done = format!("{commits} commits, {refreshes} refreshes, {packages} packages");
    assert!(failures.is_empty(), "{done}, {} failures\n{}", failures.len(), failures.join("\n"));
    assert!(commits > 10 && refreshes > 100 && packages > 100, "{done}");
    println!("{done}");
}

/// Publishes until then, one package after the other, with promotions and withdrawals among them.
async fn publish(server: &Running, until: Instant) -> u64 {
    let mut commits = 0;
    let mut listed: Vec<String> = vec!["app-0-1".to_owned()];
    for number in 1.. {
        if Instant::now() > until {
            break;
        }
        let version = number.to_string();
        server.lab.publish("dev", vec![rpm("app", &version, "a"), rpm("other", &version, "b")]).await;
        listed.push(format!("app-{version}-1"));
        commits += 1;
        if number % 3 == 0 {
            promote(server, &format!("app-{version}-1")).await;
            commits += 1;
        }
        // The channels stay small, so that the readers are quick.
        if listed.len() > 10 {
            let oldest = listed.remove(0);
            withdraw(server, "dev", &[&oldest, &oldest.replace("app", "other")]).await;
            if oldest.trim_start_matches("app-").trim_end_matches("-1").parse::<u64>().unwrap() % 3 == 0 {
                withdraw(server, "prod", &[&oldest]).await;
                commits += 1;
            }
            commits += 1;
        }
        tokio::time::sleep(Duration::from_millis(rand::thread_rng().gen_range(0..60))).await;
    }
    commits
}

async fn promote(server: &Running, nevra: &str) {
    let (queries, from, to) = ([nevra.parse().unwrap()], channel("dev"), [channel("prod")]);
    server.lab.repository.promote(&queries, &from, &to, author()).await.unwrap();
}

async fn withdraw(server: &Running, from: &str, nevras: &[&str]) {
    // `other-0` was never published.
    let queries: Vec<_> =
        nevras.iter().filter(|nevra| **nevra != "other-0-1").map(|nevra| nevra.parse().unwrap()).collect();
    server.lab.repository.withdraw(&channel(from), &queries, author()).await.unwrap();
}

/// Reads until it is over, and gives what went wrong.
async fn read(index: usize, server: Arc<Running>, count: Arc<Count>) -> Vec<String> {
    let address = format!("127.0.1.{}", index + 1).parse().unwrap();
    let name = ["dev", "prod"][index / WAYS.len() % 2];
    let way = WAYS[index % WAYS.len()];
    let key = server.lab.repository.keys().keys().public().to_owned();
    let reader = Reader::new(&server.url, name, way, address, &key);
    let mut failures = Vec::new();
    let mut newest = 0;
    while !count.over.load(Ordering::Relaxed) && failures.len() < 20 {
        match reader.refresh().await {
            Ok(found) => {
                if found.revision < newest {
                    failures.push(format!("{way:?}: {} after {newest}", found.revision));
                }
                newest = found.revision;
                count.refreshes.fetch_add(1, Ordering::Relaxed);
                // A client takes its time until it wants the packages.
                let pause = rand::thread_rng().gen_range(0..200);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                for named in &found.packages {
                    match reader.package(&found.base, named).await {
                        Ok(_) => drop(count.packages.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => failures.push(format!("{way:?}: {error}")),
                    }
                }
            }
            Err(error) => failures.push(format!("{way:?}: {error}")),
        }
    }
    failures
}
