//! The snippets of the documents, run as tests.

#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(all(feature = "http", feature = "sqlite", feature = "subprocess"))]
#[doc = include_str!("../../../docs/playbook.md")]
struct Playbook;

#[cfg(feature = "testing")]
#[doc = include_str!("../../../docs/testing.md")]
struct Testing;

#[cfg(feature = "testing")]
#[doc = include_str!("../../../docs/custom-store.md")]
struct CustomStore;

#[cfg(feature = "sqlite")]
#[doc = include_str!("../../../docs/observability.md")]
struct Observability;

#[cfg(feature = "sqlite")]
#[doc = include_str!("../../../docs/migration-from-go.md")]
struct MigrationFromGo;

#[cfg(all(feature = "http", feature = "profiles", feature = "sqlite", feature = "subprocess"))]
#[doc = include_str!("../../../docs/workers.md")]
struct Workers;
