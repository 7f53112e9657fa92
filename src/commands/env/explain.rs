//! An environment, explained as it was understood, a line for each thing that its file says or leaves to the default.
//! Commands and addresses may hold secrets of the process's environment: it is said that they are there, not what they are.

use deployer::{
    Approval, Check, Cluster, Environment, FailurePolicy, Freeze, Health, Host, NotesAudience, NotesDestination,
    NotesPlace, Notification, OnFailure, ServiceKind, Standard, Via,
};

/// Explains an environment.
pub(super) fn lines(environment: &Environment) -> Vec<String> {
    let mut lines = vec![format!("environment {}, ledger {}", environment.name, environment.ledger)];
    lines.extend(agreement(environment));
    lines.push(format!("packages    from {}", environment.repositories.join(", ")));
    lines.push(format!("service     {}, {}", environment.service, runner(&environment.service.kind)));
    lines.extend(health(&environment.health));
    lines.push(format!("strategy    {}", environment.strategy));
    lines.push(format!("failures    {}", failures(environment.policy)));
    let balancers = environment.balancers.iter().map(|balancer| {
        let seconds = balancer.drain_timeout.as_secs_f64();
        format!("balancer    {}, {seconds} s until requests are left to the stop", balancer.driver)
    });
    lines.extend(balancers);
    lines.extend(environment.front.iter().map(|balancer| format!("front       {}", balancer.driver)));
    lines.extend(environment.clusters.iter().map(cluster_line));
    for (key, value) in &environment.variables {
        lines.push(format!("variable    {{{key}}} = {value}"));
    }
    lines.extend(commands(environment));
    lines.extend(environment.notifications.iter().map(notification));
    lines.extend(environment.notes.iter().map(destination));
    lines.extend(standard(&environment.standard));
    lines.push(format!("hosts       {}, in this order", environment.hosts.len()));
    let width = environment.hosts.iter().map(|host| host.name().as_str().len()).max().unwrap_or_default();
    lines.extend(environment.hosts.iter().map(|host| host_line(environment, host, width)));
    lines
}

fn cluster_line(cluster: &Cluster) -> String {
    let hosts: Vec<&str> = cluster.hosts.iter().map(deployer::HostName::as_str).collect();
    let proxies: Vec<&str> = cluster.proxies.iter().map(|proxy| proxy.endpoint.name.as_str()).collect();
    let behind = if proxies.is_empty() { String::new() } else { format!(" behind {}", proxies.join(", ")) };
    format!("cluster {}   {}{behind}", cluster.name, hosts.join(", "))
}

fn host_line(environment: &Environment, host: &Host, width: usize) -> String {
    let mut line = format!("  {:width$}  ssh {}", host.name(), host.endpoint.address);
    let settings = host.ssh.as_ref().unwrap_or(&environment.ssh);
    let user = settings.user.as_ref().map(|user| format!("user {user}"));
    let port = settings.port.map(|port| format!("port {port}"));
    let jump = settings.jump_host.as_ref().map(|jump| format!("through {jump}"));
    let sudo = settings.sudo.then(|| "sudo".to_owned());
    for part in [user, port, jump, sudo].into_iter().flatten() {
        line.push_str(", ");
        line.push_str(&part);
    }
    if host.server != host.name().as_str() {
        line.push_str(&format!("  server {}", host.server));
    }
    if !host.roles.is_empty() {
        line.push_str(&format!("  roles {}", host.roles.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    line
}

fn agreement(environment: &Environment) -> Vec<String> {
    let approval = match environment.approval {
        Approval::None => "nobody has to approve; `--yes` is enough".to_owned(),
        Approval::Person => "a person at a terminal, who types the environment's name".to_owned(),
        Approval::Two => {
            let file = environment.approvers.as_ref().map(|file| format!(", of those in {}", file.display()));
            format!("a person at a terminal, and another person's signature{}", file.unwrap_or_default())
        }
    };
    let mut lines = vec![format!("approval    {approval}")];
    lines.extend(environment.windows.iter().map(|window| format!("window      {window}")));
    lines.extend(environment.freeze.as_ref().map(|freeze| match freeze {
        Freeze::File(file) => format!("freeze      while there is {}", file.display()),
        Freeze::Url(_) => "freeze      while there is something at its URL".to_owned(),
    }));
    lines
}

fn runner(kind: &ServiceKind) -> &'static str {
    match kind {
        ServiceKind::Host => "run by systemd, or by its script in /etc/init.d where there is none",
        ServiceKind::Systemd => "run by systemd",
        ServiceKind::SysV => "run by its script in /etc/init.d",
        ServiceKind::Command { .. } => "run by commands of this file",
        ServiceKind::TomcatManager(_) => "redeployed by Tomcat's manager, without a restart",
    }
}

fn health(health: &Health) -> Vec<String> {
    let check = match &health.check {
        Check::Command { .. } => "its command ends with 0".to_owned(),
        check => check.to_string(),
    };
    let mut lines = vec![format!("health      {check}")];
    if let Check::Http(check) = &health.check {
        lines.extend(check.expect_body.as_ref().map(|body| format!("            its body holds `{body}`")));
        let fields = check.expect_json.iter();
        lines.extend(fields.map(|(path, value)| format!("            its JSON has `{value}` at `{path}`")));
        let latency = check.max_latency;
        lines.extend(latency.map(|time| format!("            within {} s", time.as_secs_f64())));
    }
    lines.push(format!(
        "            {} s for it after a start; watched for {} s once it serves",
        health.start_timeout.as_secs_f64(),
        health.watch.as_secs_f64()
    ));
    lines
}

fn failures(policy: FailurePolicy) -> String {
    let what = match policy.on_failure {
        None => "a person at the terminal is asked; without one, everything is taken back",
        Some(OnFailure::Pause) => "a person at the terminal is asked; without one, it stops",
        Some(OnFailure::RollBack) => "everything is taken back",
        Some(OnFailure::Stop) => "it stops, and `pkg resume` goes on",
    };
    match policy.max_failed_hosts {
        0 => what.to_owned(),
        1 => format!("one host may be passed over; then {what}"),
        most => format!("{most} hosts may be passed over; then {what}"),
    }
}

fn commands(environment: &Environment) -> Vec<String> {
    let hooks = environment.hooks.iter().map(|hook| {
        let required = if hook.required { "" } else { "; may fail" };
        format!("hook        {}, on {}{required}", hook.at, hook.place)
    });
    let tasks = environment.tasks.iter().map(|(name, task)| {
        let batch = task.batch.map(|batch| format!(", {batch} at a time")).unwrap_or_default();
        let what = task.description.as_ref().map(|what| format!(": {what}")).unwrap_or_default();
        format!("task        {name}, on {}{batch}{what}", task.place)
    });
    hooks.chain(tasks).collect()
}

fn notification(notification: &Notification) -> String {
    let news = notification.on.iter().map(|news| news.as_str()).collect::<Vec<_>>().join(" ");
    match &notification.via {
        Via::Webhook(_) => format!("told        a web hook, of {news}"),
        Via::Command(_) => format!("told        a command, of {news}"),
    }
}

fn destination(notes: &NotesDestination) -> String {
    let audience = match notes.audience {
        NotesAudience::Internal => "internal",
        NotesAudience::Customer => "customer",
    };
    let of = notes.package.as_ref().map(|package| format!(" of {package}")).unwrap_or_default();
    match &notes.place {
        NotesPlace::File(file) => format!("notes       {audience}{of}, to {}", file.display()),
        NotesPlace::Webhook(_) => format!("notes       {audience}{of}, to a web hook"),
        NotesPlace::Command(_) => format!("notes       {audience}{of}, to a command"),
    }
}

fn standard(standard: &Standard) -> Vec<String> {
    let mut lines = Vec::new();
    for repository in &standard.repositories {
        let checks = match (repository.gpgcheck, repository.repo_gpgcheck) {
            (true, true) => "packages and metadata checked",
            (true, false) => "packages checked",
            (false, true) => "metadata checked",
            (false, false) => "no signature checked",
        };
        lines.push(format!("standard    repository {}, {checks}", repository.id));
    }
    let directories: Vec<_> = standard.directories.iter().map(|directory| directory.path.clone()).collect();
    let sudo: Vec<_> = standard.sudo_user.iter().cloned().collect();
    for (what, names) in [
        ("packages", &standard.packages),
        ("services", &standard.services),
        ("directories", &directories),
        ("root's rights without a password for", &sudo),
    ] {
        if !names.is_empty() {
            lines.push(format!("standard    {what} {}", names.join(", ")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_file_says_is_explained() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("prod.toml");
        let text = r#"
            name = "prod"
            ledger = "/var/lib/ledger"
            approval = "two"
            approvers = "approvers"
            freeze = "https://ops.example.com/freeze"
            windows = [{ days = ["mon-tue"], hours = "09:00-16:00", zone = "Europe/Berlin" }]
            repository = { ids = ["pkg-prod"] }
            service = { name = "tomcat" }
            strategy = { kind = "rolling", batch_size = 1 }
            policy = { on_failure = "stop", max_failed_hosts = 2 }
            tasks = { clear = { command = "rm -r /var/cache/shop", role = "web", batch = 2 } }
            hooks = [{ at = "after-host", on = "host", command = "tell secret" }]
            notes = [{ kind = "file", path = "/srv/notes", audience = "customer" }]
            hosts = [{ name = "web1", roles = ["web"] }, { name = "web2", ssh = { jump_host = "bastion" } }]
            [health]
            url = "http://{address}/health"
            expect_body = "ok {version}"
            expect_json = { "build.version" = "{version}" }
            max_latency = "2s"
            [[notifications]]
            kind = "webhook"
            url = "https://hooks.example.com/secret"
            on = ["failed", "done"]
            [standard]
            packages = ["tomcat-9.0.85-1.el9"]
            sudo_user = "deploy"
            repositories = [{ id = "pkg-prod", url = "https://host:secret@rpm.example.com/prod/" }]
        "#;
        std::fs::write(&file, text).unwrap();
        std::fs::write(directory.path().join("approvers"), "").unwrap();
        let lines = lines(&Environment::load(&file).unwrap());
        let approvers = format!("of those in {}", directory.path().join("approvers").display());
        for expected in [
            approvers.as_str(),
            "window      Mon Tue 09:00-16:00 Europe/Berlin",
            "freeze      while there is something at its URL",
            "service     tomcat, run by systemd, or by its script in /etc/init.d where there is none",
            "health      http://{address}/health answers 200",
            "            its body holds `ok {version}`",
            "            its JSON has `{version}` at `build.version`",
            "            within 2 s",
            "            120 s for it after a start; watched for 1 s once it serves",
            "failures    2 hosts may be passed over; then it stops, and `pkg resume` goes on",
            "hook        after-host, on hosts; may fail",
            "task        clear, on hosts of role web, 2 at a time",
            "told        a web hook, of failed done",
            "notes       customer, to /srv/notes",
            "standard    repository pkg-prod, no signature checked",
            "standard    packages tomcat-9.0.85-1.el9",
            "standard    root's rights without a password for deploy",
            "through bastion",
        ] {
            assert!(lines.iter().any(|line| line.contains(expected)), "{expected}\n{}", lines.join("\n"));
        }
        assert!(!lines.join("\n").contains("secret"));
    }
}
