//! Which servers a client may call.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// Why a call is refused: its address is unencrypted.
const UNENCRYPTED: &str =
    "it would go unencrypted; use https, or let the client allow http if that is meant";
/// Why a call is refused: it leads to this machine.
const THIS_MACHINE: &str = "it leads to this machine, and the client is told to call others only";
/// Why a call is refused: it leads into a network that is not public.
const NOT_PUBLIC: &str =
    "its address is not a public one; let the client allow the host or the network if it is meant";

/// Networks of IPv4 that are not public: first address, length of the prefix in bits.
const NOT_PUBLIC_V4: [([u8; 4], u8); 15] = [
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // shared by the customers of a provider
    ([127, 0, 0, 0], 8),     // this machine
    ([169, 254, 0, 0], 16),  // this link; what clouds tell their machines, keys among it
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocols
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 88, 99, 0], 24),  // relays
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // measurements
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, broadcast
];

/// Networks within the public part of IPv6 that are not: first address, length of the prefix.
const NOT_PUBLIC_V6: [([u16; 8], u8); 3] = [
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),     // protocols, tunnels
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),     // documentation
];

/// All that is public in IPv6.
const PUBLIC_V6: Network =
    Network { first: IpAddr::V6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0)), bits: 3 };

/// A call that must not be made, and why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Forbidden(pub(super) &'static str);

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network {
    pub(super) first: IpAddr,
    pub(super) bits: u8,
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        let differ = match (self.first, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            _ => return false,
        };
        let longest = if self.first.is_ipv4() { 32 } else { 128 };
        differ >= u32::from(self.bits).min(longest)
    }
}

/// Which servers a client may call.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    pub(super) hosts: Vec<String>,
    pub(super) networks: Vec<Network>,
    pub(super) allows_http: bool,
    pub(super) refuses_this_machine: bool,
}

impl Reach {
    /// Whether `url` may be called, as far as it shows before its name is looked up.
    pub(super) fn check(&self, url: &Url) -> Result<(), Forbidden> {
        let is_here = is_this_machine(url) && !self.refuses_this_machine;
        if url.scheme() != "https" && !self.allows_http && !is_here {
            return Err(Forbidden(UNENCRYPTED));
        }
        match literal(url) {
            Some(address) => self.admit(url.host_str().unwrap_or_default(), address),
            None => Ok(()),
        }
    }

    /// Whether `host` may be called at `address`, which is the one that will be connected to.
    pub(super) fn admit(&self, host: &str, address: IpAddr) -> Result<(), Forbidden> {
        let host = plain(host);
        let address = address.to_canonical();
        let is_allowed = self.hosts.contains(&host)
            || self.networks.iter().any(|network| network.holds(address))
            || is_public(address);
        if is_allowed {
            return Ok(());
        }
        match address.is_loopback() && names_this_machine(&host) {
            true if self.refuses_this_machine => Err(Forbidden(THIS_MACHINE)),
            true => Ok(()),
            false => Err(Forbidden(NOT_PUBLIC)),
        }
    }
}

/// A host as hosts are compared: in lower case, without the dot that may end a name and without the
/// brackets around an address.
pub(super) fn plain(host: &str) -> String {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let name = host.strip_suffix('.').unwrap_or(host);
    inner.unwrap_or(name).to_ascii_lowercase()
}

/// Whether the address says by itself that it leads to this machine.
pub(super) fn is_this_machine(url: &Url) -> bool {
    url.host_str().is_some_and(|host| names_this_machine(&plain(host)))
}

fn names_this_machine(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The address that stands in `url` instead of a name, if one does.
fn literal(url: &Url) -> Option<IpAddr> {
    plain(url.host_str()?).parse().ok()
}

/// Whether an address is one of the open internet.
fn is_public(address: IpAddr) -> bool {
    let is_in = |(first, bits): (IpAddr, u8)| Network { first, bits }.holds(address);
    match address {
        IpAddr::V4(_) => !NOT_PUBLIC_V4.iter().any(|(first, bits)| is_in(((*first).into(), *bits))),
        IpAddr::V6(v6) => match within(v6) {
            Some(v4) => is_public(v4.into()),
            None => {
                PUBLIC_V6.holds(address)
                    && !NOT_PUBLIC_V6.iter().any(|(first, bits)| is_in(((*first).into(), *bits)))
            }
        },
    }
}

/// The address of IPv4 that packets to this one of IPv6 end up at, if they do.
fn within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // Translated at the border of a network that has IPv6 only.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        // Tunnelled.
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}
