//! Whom the default client calls, and whom it does not.

use std::io;
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};

use loom_core::{CancelReason, Cancellation, ErrorKind, TaskContext, Worker, WorkerError};
use loom_testkit::{Signal, within};
use loom_workers::{HttpBase, NetworkClient};

use super::server::{Reply, Server};
use super::{asking, gets, run};
use crate::support::LONG;

/// Addresses that are not of the open internet, or lead to others that are not.
const NOT_PUBLIC: [&str; 37] = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "169.254.169.254",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "0xa.1",
    "167772161",
    "[::]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[::ffff:10.0.0.1]",
    "[::10.0.0.1]",
    "[64:ff9b::a00:1]",
    "[2002:a00:1::1]",
];

/// Addresses of the open internet, those right beside the others among them.
const PUBLIC: [&str; 17] = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.20.0.0",
    "223.255.255.255",
    "[2606:4700::1111]",
    "[::ffff:1.1.1.1]",
    "[64:ff9b::101:101]",
    "[2002:101:101::1]",
];

fn by(client: NetworkClient, url: impl Into<String>) -> HttpBase {
    gets(url).client(client).max_retries(0)
}

/// A client to which each name leads to these addresses.
fn finding(addresses: &'static [[u8; 4]]) -> NetworkClient {
    NetworkClient::new()
        .allow_http()
        .lookup(move |_| Ok(addresses.iter().map(|a| IpAddr::from(*a)).collect()))
}

/// The address of a server by another name.
fn named(server: &Server, name: &str) -> String {
    format!("http://{name}:{}/", server.address.port())
}

#[track_caller]
fn assert_refused(error: &WorkerError) {
    assert_eq!(error.kind(), ErrorKind::Permanent, "{}", error.message());
    assert!(error.message().contains("the call is refused"), "{}", error.message());
}

#[tokio::test]
async fn addresses_that_are_not_public_are_refused_and_others_are_not() {
    let proxy = Server::start(|_, _| Reply::ok("passed on")).await;
    let client = || NetworkClient::new().allow_http().proxy(proxy.url("/"));
    for address in NOT_PUBLIC {
        let error = run(&by(client(), format!("http://{address}/"))).await;
        assert_refused(&error.expect_err(address));
    }
    assert!(proxy.received().is_empty());
    for address in PUBLIC {
        let result = run(&by(client(), format!("http://{address}/"))).await;
        assert_eq!(result.expect(address).content, "passed on");
    }
    assert_eq!(proxy.received().len(), PUBLIC.len());
}

#[tokio::test]
async fn networks_and_hosts_can_be_allowed_and_nothing_beside_them() {
    let proxy = Server::start(|_, _| Reply::ok("passed on")).await;
    let client = || {
        let client = NetworkClient::new().allow_http().proxy(proxy.url("/"));
        let client = client.allow_network([10, 1, 0, 0], 16).allow_host("192.168.0.7");
        client
            .allow_network([0xfd00, 1, 0, 0, 0, 0, 0, 0], 32)
            .allow_network([169, 254, 0, 1], 77)
            .allow_host("[fe80::7]")
            .allow_host("fe80::8")
    };
    let allowed = [
        "10.1.2.3",
        "192.168.0.7",
        "[fd00:1::9]",
        "[::ffff:10.1.0.0]",
        "169.254.0.1",
        "[fe80::7]",
        "[fe80::8]",
    ];
    for address in allowed {
        assert!(run(&by(client(), format!("http://{address}/"))).await.is_ok(), "{address}");
    }
    for address in ["10.2.0.0", "192.168.0.8", "[fd00:2::9]", "169.254.0.2"] {
        assert_refused(&run(&by(client(), format!("http://{address}/"))).await.unwrap_err());
    }
}

#[tokio::test]
async fn http_is_for_this_machine_only_unless_it_is_allowed() {
    for url in ["http://1.1.1.1/", "http://a.example/"] {
        let error = run(&by(NetworkClient::new(), url)).await.unwrap_err();
        assert_refused(&error);
        assert!(error.message().contains("unencrypted"), "{}", error.message());
    }
}

#[tokio::test]
async fn this_machine_may_be_called_by_its_own_names_unless_that_is_refused() {
    let server = Server::start(|_, _| Reply::ok("here")).await;
    for name in ["127.0.0.1", "localhost", "LOCALHOST.", "[::ffff:127.0.0.1]", "a.localhost"] {
        let client = NetworkClient::new().lookup(|_| Ok(vec![IpAddr::from([127, 0, 0, 1])]));
        let result = run(&by(client, named(&server, name))).await;
        assert_eq!(result.expect(name).content, "here");
        let client = finding(&[[127, 0, 0, 1]]).refuse_this_machine();
        assert_refused(&run(&by(client, named(&server, name))).await.expect_err(name));
    }
}

#[tokio::test]
async fn a_name_that_leads_to_what_is_not_public_is_refused() {
    let server = Server::start(|_, _| Reply::ok("here")).await;
    for found in [&[[127, 0, 0, 1]][..], &[[10, 0, 0, 1], [127, 0, 0, 1]], &[[169, 254, 169, 254]]]
    {
        assert_refused(&run(&by(finding(found), named(&server, "a.example"))).await.unwrap_err());
    }
    // Only a name of this machine itself leads to it, and to nothing else.
    for name in ["localhost.example", "notlocalhost", "127.0.0.1.example"] {
        let client = finding(&[[127, 0, 0, 1]]);
        assert_refused(&run(&by(client, named(&server, name))).await.unwrap_err());
    }
    let astray = by(finding(&[[10, 0, 0, 1]]), named(&server, "localhost"));
    assert_refused(&run(&astray).await.unwrap_err());
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn of_the_addresses_of_a_name_only_those_are_called_that_may_be() {
    let server = Server::start(|_, _| Reply::ok("here")).await;
    let found = &[[10, 0, 0, 1], [127, 0, 0, 1], [169, 254, 169, 254]];
    let client = finding(found).allow_network([127, 0, 0, 0], 8);
    assert_eq!(run(&by(client, named(&server, "a.example"))).await.unwrap().content, "here");
}

#[tokio::test]
async fn a_name_is_looked_up_once_a_connection_and_may_not_change_its_mind() {
    let server = Server::start(|_, _| Reply::ok("here")).await;
    let lookups = Signal::new();
    let told = lookups.clone();
    let client = NetworkClient::new().allow_http().allow_network([127, 0, 0, 1], 32);
    let worker = by(
        client.lookup(move |_| {
            told.raise();
            let last = if told.count() == 1 { 1 } else { 2 };
            Ok(vec![IpAddr::from([127, 0, 0, last])])
        }),
        named(&server, "a.example"),
    );
    assert_eq!(run(&worker).await.unwrap().content, "here");
    assert_eq!(lookups.count(), 1);
    assert_refused(&run(&worker).await.unwrap_err());
    assert_eq!(lookups.count(), 2);
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn an_allowed_host_may_be_anywhere() {
    let server = Server::start(|_, _| Reply::ok("here")).await;
    let client = || finding(&[[127, 0, 0, 1]]).allow_host("Inside.Example.").refuse_this_machine();
    let result = run(&by(client(), named(&server, "inside.example"))).await;
    assert_eq!(result.unwrap().content, "here");
    let beside = by(client(), named(&server, "not.inside.example"));
    assert_refused(&run(&beside).await.unwrap_err());
}

#[tokio::test]
async fn a_redirect_to_what_is_not_public_is_refused() {
    for to in ["https://10.0.0.1/", "http://169.254.169.254/", "https://[fd00::1]/", "//a.example"]
    {
        let server = Server::start(move |_, _| Reply::new(302, &[("Location", to)], "")).await;
        let error = run(&by(finding(&[[192, 168, 1, 1]]), server.url("/"))).await.unwrap_err();
        assert_refused(&error);
        assert_eq!(server.received().len(), 1);
    }
}

#[tokio::test]
async fn a_redirect_from_another_machine_to_this_one_is_refused() {
    let here = Server::start(|_, _| Reply::ok("a secret")).await;
    for name in ["127.0.0.1", "localhost", "[::ffff:7f00:1]"] {
        let to = named(&here, name);
        let server = Server::start(move |_, _| Reply::new(302, &[("Location", &to)], "")).await;
        let client = finding(&[[127, 0, 0, 1]]).allow_host("a.example");
        let error = run(&by(client, named(&server, "a.example"))).await.unwrap_err();
        assert!(error.message().contains("redirect is not followed"), "{}", error.message());
    }
    assert!(here.received().is_empty());
}

#[tokio::test]
async fn a_name_that_cannot_be_looked_up_is_a_failure_that_may_pass() {
    for found in [Err(io::ErrorKind::NotFound), Ok(Vec::new())] {
        let client = NetworkClient::new().lookup(move |_| Ok(found.clone()?));
        let error = run(&by(client, "https://a.example/")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transient, "{}", error.message());
    }
}

#[tokio::test]
async fn an_attempt_stops_while_a_name_is_looked_up() {
    let (go_on, is_over) = mpsc::channel::<()>();
    let (asked, told) = (Signal::new(), Signal::new());
    let (is_over, tell) = (Arc::new(std::sync::Mutex::new(is_over)), told.clone());
    let ask = asked.clone();
    let client = NetworkClient::new().lookup(move |_| {
        ask.raise();
        let _ = is_over.lock().unwrap().recv();
        tell.raise();
        Ok(Vec::new())
    });
    let cancellation = Cancellation::new();
    let cx = TaskContext::new().with_cancellation(cancellation.clone());
    let worker = by(client, "https://a.example/");
    let attempt = tokio::spawn(async move { worker.execute(&cx, &asking("why?")).await });
    within(LONG, asked.wait()).await;
    cancellation.cancel(CancelReason::Requested);
    let error = within(LONG, attempt).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(told.count(), 0);
    drop(go_on);
}

#[tokio::test]
async fn a_proxy_that_is_asked_for_may_be_anywhere_and_what_it_is_asked_for_may_not() {
    let proxy = Server::start(|_, call| Reply::ok(&call.path)).await;
    let client = || finding(&[[127, 0, 0, 1]]).proxy(named(&proxy, "proxy.example"));
    let result = run(&by(client(), "http://a.example/b")).await.unwrap();
    assert_eq!(result.content, "http://a.example/b");
    assert_refused(&run(&by(client(), "http://10.0.0.1/")).await.unwrap_err());
    let nonsense = by(NetworkClient::new().proxy("http://"), "https://a.example/");
    assert_eq!(run(&nonsense).await.unwrap_err().kind(), ErrorKind::Permanent);
}

/// The address of the server to call, in the process that has a proxy in its environment.
const URL_VARIABLE: &str = "LOOM_TEST_URL";

#[tokio::test]
async fn a_proxy_of_the_environment_is_used_only_if_asked_for() {
    if let Ok(url) = std::env::var(URL_VARIABLE) {
        assert_eq!(run(&by(NetworkClient::new(), url.as_str())).await.unwrap().content, "server");
        let asked = finding(&[[127, 0, 0, 1]]).environment_proxies();
        assert_eq!(run(&by(asked, url)).await.unwrap().content, "proxy");
        return;
    }
    let server = Server::start(|_, _| Reply::ok("server")).await;
    let proxy = Server::start(|_, _| Reply::ok("proxy")).await;
    let name = "http::reach::a_proxy_of_the_environment_is_used_only_if_asked_for";
    let mut again = Command::new("/proc/self/exe");
    again.args(["--exact", name]).env_clear().stdout(Stdio::null());
    again.env("http_proxy", named(&proxy, "proxy.example")).env(URL_VARIABLE, server.url("/"));
    let again = tokio::task::spawn_blocking(move || again.status());
    assert!(within(LONG, again).await.unwrap().unwrap().success());
    assert_eq!((server.received().len(), proxy.received().len()), (1, 1));
}
