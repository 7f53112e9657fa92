//! All balancers in front of the same servers: asked together, told together, and held to what they were told.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::{BalancerError, Control, Counters, Member, Rotation, ServerState};
use crate::Script;
use crate::environment::Balancer;
use crate::transport::ScriptError;

/// How often a balancer is asked.
const INTERVAL: Duration = Duration::from_millis(150);
/// How soon it is asked again first, where a host is out of service meanwhile; each time it is asked a little later.
const FIRST_INTERVAL: Duration = Duration::from_millis(20);
/// How long a balancer that does not answer, as while it restarts, is asked again.
const PATIENCE: Duration = Duration::from_secs(15);
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// How long a balancer may take to show what it was told.
const OBEDIENCE: Duration = Duration::from_secs(10);
/// So few failed requests may be chance, however many there were.
const TOLERATED: u64 = 2;

/// The balancers in front of some servers.
#[derive(Clone)]
pub(crate) struct Front<'a> {
    /// The balancers.
    pub(crate) balancers: &'a [Balancer],
    /// What they are reached with.
    pub(crate) control: Control<'a>,
    /// The servers.
    pub(crate) members: Vec<Member<'a>>,
    /// The port on which the servers serve; where it is known, a balancer that can't count has its servers counted.
    pub(crate) port: Option<u16>,
    /// Who is told what is seen of a server while it is waited for.
    pub(crate) told: Option<Told<'a>>,
}

/// Is told what is seen, in few words.
pub(crate) type Told<'a> = &'a (dyn Fn(String) + Send + Sync);

/// How each balancer sees each server, in the order of the balancers.
pub(crate) type FrontViews = BTreeMap<String, Vec<ServerState>>;

impl<'a> Front<'a> {
    /// The same, telling what it sees.
    pub(crate) fn telling(self, told: Told<'a>) -> Self {
        Self { told: Some(told), ..self }
    }

    /// Tells what is new since the last time.
    fn tell_seen(&self, last: &mut String, seen: String) {
        if let Some(told) = self.told.filter(|_| *last != seen) {
            last.clone_from(&seen);
            told(seen);
        }
    }

    /// Asks all balancers once.
    pub(crate) async fn views(&self) -> Result<FrontViews, BalancerError> {
        let answers = join_all(self.balancers.iter().map(|balancer| async move {
            let views = balancer.driver.drive().view(&self.control, &self.members).await?;
            for member in &self.members {
                if !views.contains_key(member.server) {
                    let known = views.keys().cloned().collect();
                    let (balancer, server) = (balancer.driver.to_string(), member.server.to_owned());
                    return Err(BalancerError::NoServer { balancer, server, known });
                }
            }
            Ok(views)
        }))
        .await;
        let mut views = FrontViews::new();
        for answer in answers {
            let mut answer = answer?;
            for member in &self.members {
                views.entry(member.server.to_owned()).or_default().extend(answer.remove(member.server));
            }
        }
        Ok(views)
    }

    /// Asks all balancers; one that restarts is waited for.
    pub(crate) async fn patient_views(&self) -> Result<FrontViews, BalancerError> {
        let began = Instant::now();
        loop {
            match self.views().await {
                Err(error) if error.may_pass() && began.elapsed() < PATIENCE => {
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Has a server drained by all balancers, waits until nothing is there or the time is over, and takes it out.
    ///
    /// Gives what was still there, if anything was.
    pub(crate) async fn take_out(&self, member: &Member<'_>) -> Result<Option<String>, BalancerError> {
        let Some(limit) = self.balancers.iter().map(limit_of).max() else {
            return Ok(None);
        };
        let (began, mut interval, mut last) = (Instant::now(), FIRST_INTERVAL, String::new());
        let (left, view) = loop {
            let view = self.view(member).await?;
            // Draining a server that is out would let sticky requests in again; one that a restarted balancer has
            // forgotten is drained anew.
            self.tell(member, &view, Rotation::Draining, |state| state.rotation == Rotation::In).await?;
            let left = self.left(member, &view).await?;
            self.tell_seen(&mut last, left.map_or("conns ?".to_owned(), |left| format!("conns {left}")));
            if left == Some(0) || began.elapsed() >= limit {
                break (left, view);
            }
            tokio::time::sleep(interval).await;
            interval = INTERVAL.min(interval * 2);
        };
        self.hold(member, view, Rotation::Out).await?;
        Ok(match left {
            Some(0) => None,
            Some(left) => Some(format!("{left} requests were still there after {} s", limit.as_secs())),
            None => Some(format!("still being drained after {} s", limit.as_secs())),
        })
    }

    /// Takes a server out again that a balancer has let in meanwhile, as one does that was restarted or reloaded.
    ///
    /// Gives what was seen, if it was not out.
    pub(crate) async fn keep_out(&self, member: &Member<'_>) -> Result<Option<String>, BalancerError> {
        let view = self.view(member).await?;
        if view.iter().all(|state| state.rotation != Rotation::In) {
            return Ok(None);
        }
        let seen = seen(&view);
        self.take_out(member).await?;
        Ok(Some(format!("a balancer had forgotten that it was out ({seen}); it is out again")))
    }

    /// Puts a server back and sees that all balancers send requests there for a while, without more errors than
    /// elsewhere; gives how they see it.
    pub(crate) async fn put_back(
        &self,
        member: &Member<'_>,
        watch: Duration,
        limit: Duration,
    ) -> Result<String, BalancerError> {
        self.let_in(member).await?;
        self.keep_in(member, watch, limit).await
    }

    /// Tells all balancers to send requests to a server.
    pub(crate) async fn let_in(&self, member: &Member<'_>) -> Result<(), BalancerError> {
        let view = self.view(member).await?;
        self.tell(member, &view, Rotation::In, |_| true).await
    }

    /// Sees that all balancers send requests to a server for a while, without more errors than elsewhere; one that does
    /// not is told to. Gives how they see it.
    pub(crate) async fn keep_in(
        &self,
        member: &Member<'_>,
        watch: Duration,
        limit: Duration,
    ) -> Result<String, BalancerError> {
        let began = Instant::now();
        let (mut first, mut last): (Option<(Instant, FrontViews)>, String) = (None, String::new());
        loop {
            let views = self.patient_views().await?;
            let view = views.get(member.server).map_or(&[][..], Vec::as_slice);
            if view.iter().all(|state| state.serving) {
                let (since, baseline) = first.get_or_insert_with(|| (Instant::now(), views.clone()));
                if let Some(rate) = self.refuse_errors(member, baseline, &views, since.elapsed())? {
                    self.tell_seen(&mut last, format!("err {rate:.1}%"));
                }
                if since.elapsed() >= watch {
                    return Ok(seen(view));
                }
            } else {
                first = None;
                self.tell_seen(&mut last, seen(view));
                if began.elapsed() >= limit {
                    return Err(BalancerError::NotServing { seen: seen(view), limit });
                }
                self.tell(member, view, Rotation::In, |state| state.rotation != Rotation::In).await?;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Has servers get requests in place of others: where a balancer can, at once.
    ///
    /// Check pages and the like are made good first, so that what a balancer switches to is well.
    pub(crate) async fn hand_over(
        &self,
        incoming: &[Member<'_>],
        outgoing: &[Member<'_>],
    ) -> Result<(), BalancerError> {
        for balancer in self.balancers.iter().filter(|balancer| !balancer.driver.can_swap()) {
            for member in incoming {
                balancer.driver.drive().set(&self.control, member, Rotation::In).await?;
            }
        }
        for balancer in self.balancers.iter().filter(|balancer| balancer.driver.can_swap()) {
            let began = Instant::now();
            loop {
                match balancer.driver.drive().swap(&self.control, incoming, outgoing).await {
                    Err(error) if error.may_pass() && began.elapsed() < PATIENCE => {
                        tokio::time::sleep(RETRY_INTERVAL).await;
                    }
                    outcome => break outcome.map(drop)?,
                }
            }
        }
        Ok(())
    }

    async fn view(&self, member: &Member<'_>) -> Result<Vec<ServerState>, BalancerError> {
        Ok(self.patient_views().await?.remove(member.server).unwrap_or_default())
    }

    /// Tells the balancers whose view asks for it; one that restarts is told again.
    async fn tell(
        &self,
        member: &Member<'_>,
        view: &[ServerState],
        to: Rotation,
        asks: impl Fn(&ServerState) -> bool,
    ) -> Result<(), BalancerError> {
        let told = self.balancers.iter().zip(view).filter(|(_, state)| asks(state)).map(|(balancer, _)| async move {
            let began = Instant::now();
            loop {
                match balancer.driver.drive().set(&self.control, member, to).await {
                    Err(error) if error.may_pass() && began.elapsed() < PATIENCE => {
                        tokio::time::sleep(RETRY_INTERVAL).await;
                    }
                    outcome => return outcome,
                }
            }
        });
        join_all(told).await.into_iter().collect()
    }

    /// Tells the balancers until all show it, beginning with those whose last view does not.
    async fn hold(&self, member: &Member<'_>, mut view: Vec<ServerState>, to: Rotation) -> Result<(), BalancerError> {
        let began = Instant::now();
        loop {
            self.tell(member, &view, to, |state| state.rotation != to).await?;
            view = self.view(member).await?;
            let Some((balancer, state)) = self.balancers.iter().zip(&view).find(|(_, state)| state.rotation != to)
            else {
                return Ok(());
            };
            if began.elapsed() >= OBEDIENCE {
                return Err(BalancerError::Unmoved {
                    balancer: balancer.driver.to_string(),
                    server: member.server.to_owned(),
                    told: to,
                    seen: state.status.clone(),
                    limit: OBEDIENCE,
                });
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// How many requests are there or on their way; `None` where they can't be counted and some may be there.
    async fn left(&self, member: &Member<'_>, view: &[ServerState]) -> Result<Option<u64>, BalancerError> {
        let counted: u64 = view.iter().filter_map(|state| state.connections).sum();
        if counted > 0 {
            return Ok(Some(counted));
        }
        if !view.iter().all(|state| state.is_drained() || state.is_idle()) {
            return Ok(None);
        }
        match self.port {
            Some(port) if view.iter().any(|state| state.connections.is_none()) => {
                let script = Script::new("connections", &[include_str!("../scripts/connections.sh")])
                    .set("PORT", port.to_string());
                let text = self.control.run(member.endpoint, &script).await?;
                let count = text.trim().parse().map_err(|_| ScriptError::Unexpected {
                    host: member.endpoint.name.clone(),
                    script: script.name(),
                    line: text.trim().to_owned(),
                })?;
                Ok(Some(count))
            }
            _ => Ok(Some(0)),
        }
    }

    /// Holds what failed there since the baseline against what failed elsewhere in the same time; gives its share in
    /// percent, where the balancers count.
    fn refuse_errors(
        &self,
        member: &Member<'_>,
        baseline: &FrontViews,
        now: &FrontViews,
        watched: Duration,
    ) -> Result<Option<f64>, BalancerError> {
        let (mut own, mut others) = (Counters::default(), Counters::default());
        for (server, view) in now {
            let before = baseline.get(server).map_or(&[][..], Vec::as_slice);
            let counted =
                before.iter().zip(view).filter_map(|(before, now)| Some(now.counters?.since(before.counters?)));
            let sum = if server == member.server { &mut own } else { &mut others };
            *sum = [*sum, counted.sum()].into_iter().sum();
        }
        if own.errors > TOLERATED && own.fails_more_than(others) {
            return Err(BalancerError::Failing { server: member.server.to_owned(), own, others, watched });
        }
        Ok(own.error_rate())
    }
}

/// How long a balancer has to let go of a server: until everybody has noticed, and then until the requests have ended.
fn limit_of(balancer: &Balancer) -> Duration {
    balancer.driver.drive().notice() + balancer.drain_timeout
}

fn seen(view: &[ServerState]) -> String {
    view.iter().map(|state| state.status.as_str()).collect::<Vec<_>>().join(", ")
}
