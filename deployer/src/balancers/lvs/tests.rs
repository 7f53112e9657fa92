//! What real tables are read as: `table.txt` is what ipvsadm 1.31 printed of LVS 1.2.1 in Linux 6.1, `-Ln` and
//! `-Ln --exact` alike.

use super::*;

const TABLE: &str = include_str!("table.txt");

fn tcp(address: &str) -> VirtualService {
    VirtualService::Tcp(address.to_owned())
}

#[test]
fn what_has_ended_counts_while_a_port_may_be_used_again() {
    let service = tcp("10.77.0.251:8080");
    assert_eq!(listed(TABLE, &service), ["10.77.0.13:8080 weight 1 Some(5)", "10.77.0.14:8080 weight 0 Some(6)"]);
    let ended = TABLE.replace("Route   0      3 ", "Route   0      0 ");
    assert!(!parse(&ended, &service).unwrap()[1].1.is_drained());
    assert!(parse(&format!("reschedules\n{ended}"), &service).unwrap()[1].1.is_drained());
}

/// `SERVER STATUS CONNECTIONS`, of each.
fn listed(text: &str, service: &VirtualService) -> Vec<String> {
    let servers = parse(text, service).unwrap();
    let line = |(server, state): (String, ServerState)| format!("{server} {} {:?}", state.status, state.connections);
    servers.into_iter().map(line).collect()
}

#[test]
fn reads_a_service_among_all_kinds() {
    for (service, expected) in [
        (tcp("10.77.0.251:8080"), &["10.77.0.13:8080 weight 1 Some(2)", "10.77.0.14:8080 weight 0 Some(3)"][..]),
        (
            tcp("192.0.2.1:80"),
            &[
                "10.77.0.13:8080 weight 7 Some(0)",
                "10.77.0.13:8081 weight 2 Some(0)",
                "10.77.0.14:8080 weight 0 Some(0)",
            ],
        ),
        (tcp("192.0.2.1:443"), &["10.77.0.13:443 weight 100000 Some(0)"]),
        (tcp("192.0.2.2:80"), &["10.77.0.13:80", "10.77.0.14:80", "10.77.0.15:80"]),
        (tcp("192.0.2.3:80"), &["10.77.0.13:80 weight 2 Some(0)"]),
        (tcp("192.0.2.4:8996"), &[]),
        (
            tcp("[2001:db8::1]:80"),
            &[
                "[fd00::13]:8080 weight 4 Some(0)",
                "[2001:db8:1111:2222:3333:4444:5555:6666]:80 weight 4",
                "[2001:db8:1111:2222:3333:4444:5555:6666]:8080 weight 4",
            ],
        ),
        (tcp("[2001:db8::1]:443"), &["[fd00::13]:8443 weight 4"]),
        // The same mark may stand for both families.
        (
            VirtualService::Mark(7),
            &["10.77.0.13:0 weight 3 Some(0)", "10.77.0.14:0 weight 0 Some(0)", "[fd00::13]:0 weight 3 Some(0)"],
        ),
        (VirtualService::Mark(8), &[]),
    ] {
        let listed = listed(&format!("reschedules\n{TABLE}"), &service);
        assert_eq!(listed.len(), expected.len(), "{service:?}: {listed:?}");
        for (listed, expected) in listed.iter().zip(expected) {
            assert!(listed.starts_with(expected), "{service:?}: {listed}");
        }
    }
    let servers = parse(TABLE, &tcp("10.77.0.251:8080")).unwrap();
    assert!(servers[0].1.rotation == Rotation::In && servers[0].1.serving);
    assert!(servers[1].1.rotation == Rotation::Out && !servers[1].1.is_drained(), "three requests are still there");
}

#[test]
fn what_a_checker_removed_is_out() {
    let set = "set: 7 -t 192.0.2.3:80 10.77.0.14:80\nset: 1 -t 192.0.2.3:80 10.77.0.13:80\n\
               set: 1 -f 7 10.77.0.15:0\nset: 1\n";
    let text = format!("{set}{TABLE}");
    assert_eq!(listed(&text, &tcp("192.0.2.3:80")), ["10.77.0.13:80 weight 2 Some(0)", "10.77.0.14:80 removed None"]);
    let removed = parse(&text, &VirtualService::Mark(7)).unwrap().pop().unwrap();
    assert_eq!(removed.0, "10.77.0.15:0");
    assert!(removed.1.is_drained() && !removed.1.serving);
}

#[test]
fn a_host_is_its_address_and_all_that_listens_there() {
    let endpoint = |name: &str, address: &str| Endpoint { name: name.parse().unwrap(), address: address.to_owned() };
    let (web1, web2) = (endpoint("web1", "deploy@10.77.0.13"), endpoint("web2", "web2"));
    let members = |one, other| [Member { server: one, endpoint: &web1 }, Member { server: other, endpoint: &web2 }];
    let views = |service: &str, members: &[Member<'_>]| of_members(members, parse(TABLE, &tcp(service)).unwrap());

    // As HAProxy calls it; as it is reached.
    let seen = views("192.0.2.1:80", &members("web1", "10.77.0.14"));
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["10.77.0.14", "web1"]);
    assert_eq!((seen["web1"].status.as_str(), seen["web1"].serving), ("weight 7, weight 2", true));
    assert!(seen["10.77.0.14"].is_drained());
    // One of the ports.
    let seen = views("192.0.2.1:80", &members("10.77.0.13:8081", "10.77.0.14:8080"));
    assert_eq!(seen["10.77.0.13:8081"].status, "weight 2");
    assert!(seen.contains_key("10.77.0.13:8080"), "{seen:?}");
    // Of IPv6, in brackets or not, in any spelling.
    for server in ["fd00::13", "[fd00::13]", "[FD00:0::13]:8080"] {
        assert_eq!(views("[2001:db8::1]:80", &members(server, "x"))[server].status, "weight 4");
    }
    // No prefix of another's.
    assert!(!views("192.0.2.1:80", &members("10.77.0.1", "x")).contains_key("10.77.0.1"));
}

#[test]
fn a_host_is_out_once_all_of_it_is() {
    let state = |rotation, serving, connections| {
        let status = String::new();
        ServerState { status, rotation, serving, connections, counters: None }
    };
    let (into, out) = (state(Rotation::In, true, Some(2)), state(Rotation::Out, false, Some(0)));
    let removed = state(Rotation::Out, false, None);
    for (one, other, rotation, connections) in [
        (&into, &out, Rotation::In, Some(2)),
        (&out, &into, Rotation::In, Some(2)),
        (&out, &out, Rotation::Out, Some(0)),
        (&into, &removed, Rotation::In, Some(2)),
        (&out, &removed, Rotation::Out, None),
    ] {
        let both = together(one.clone(), other.clone());
        assert_eq!((both.rotation, both.serving, both.connections), (rotation, false, connections));
    }
    assert!(together(into.clone(), into).serving);
}

#[test]
fn refuses_other_answers() {
    let service = tcp("10.0.0.2:80");
    for text in ["", TABLE, "ipvsadm: not found\n"] {
        assert!(parse(text, &service).unwrap_err().contains("no service `-t 10.0.0.2:80`"));
    }
    // UDP and SCTP of the same address are other services.
    assert!(parse(TABLE, &tcp("192.0.2.1:53")).unwrap_err().contains("no service"));
    let broken = TABLE.replace("Route   0      3 ", "Route   none   3 ");
    assert!(parse(&broken, &tcp("10.77.0.251:8080")).unwrap_err().contains("none"));
}
