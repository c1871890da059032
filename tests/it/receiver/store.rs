//! What any store owes a receiver, and what the one in memory adds.

use std::num::NonZeroUsize;
use std::time::Duration;

use webhook_sdk::receiver::{Claim, ClaimToken, DedupStore, EventKey, MemoryStore, StoreError};

pub(crate) const LEASE: Duration = Duration::from_secs(60);
pub(crate) const REMEMBER: Duration = Duration::from_secs(3600);

/// A store whose time is the test's.
pub(crate) trait Timed {
    type Store: DedupStore + Clone;

    fn store(&self) -> Self::Store;

    /// Lets the lease or the memory of an event end.
    async fn expire(&self, key: &EventKey, lifetime: Duration);
}

pub(crate) async fn granted(store: &impl DedupStore, key: &EventKey) -> ClaimToken {
    let token = ClaimToken::new();
    let claim = store.claim(key, token, LEASE).await.unwrap();
    assert_eq!(claim, Claim::Granted);
    token
}

pub(crate) fn key(name: &str) -> EventKey {
    EventKey::new(["test", "", "", ""], &[name])
}

pub(crate) async fn a_claimed_event_is_held(timed: impl Timed) {
    let (store, key) = (timed.store(), key("held"));
    granted(&store, &key).await;
    assert_eq!(
        store.claim(&key, ClaimToken::new(), LEASE).await.unwrap(),
        Claim::Held
    );
}

pub(crate) async fn events_do_not_get_into_each_others_way(timed: impl Timed) {
    let store = timed.store();
    let first = granted(&store, &key("one")).await;
    let second = granted(&store, &key("another")).await;
    assert_ne!(first, second);
    store.commit(&key("one"), first, REMEMBER).await.unwrap();
    let other = store
        .claim(&key("another"), ClaimToken::new(), LEASE)
        .await
        .unwrap();
    assert_eq!(other, Claim::Held);
}

pub(crate) async fn a_committed_event_stays_committed(timed: impl Timed) {
    let (store, key) = (timed.store(), key("committed"));
    let token = granted(&store, &key).await;
    store.commit(&key, token, REMEMBER).await.unwrap();
    assert_eq!(
        store.claim(&key, ClaimToken::new(), LEASE).await.unwrap(),
        Claim::Committed
    );
    store.release(&key, token).await.unwrap();
    assert_eq!(
        store.claim(&key, ClaimToken::new(), LEASE).await.unwrap(),
        Claim::Committed
    );
}

pub(crate) async fn a_committed_event_outlives_its_lease_and_then_its_memory(timed: impl Timed) {
    let (store, key) = (timed.store(), key("forgotten"));
    let token = granted(&store, &key).await;
    store.commit(&key, token, REMEMBER).await.unwrap();
    timed.expire(&key, REMEMBER).await;
    granted(&store, &key).await;
}

pub(crate) async fn a_released_event_can_be_claimed(timed: impl Timed) {
    let (store, key) = (timed.store(), key("released"));
    let token = granted(&store, &key).await;
    store.release(&key, token).await.unwrap();
    store.release(&key, token).await.unwrap();
    granted(&store, &key).await;
}

pub(crate) async fn a_claim_ends_with_its_lease(timed: impl Timed) {
    let (store, key) = (timed.store(), key("expired"));
    let old = granted(&store, &key).await;
    timed.expire(&key, LEASE).await;
    let new = granted(&store, &key).await;
    assert_ne!(old, new);
}

pub(crate) async fn a_late_holder_commits_if_nobody_took_over(timed: impl Timed) {
    let (store, key) = (timed.store(), key("late"));
    let token = granted(&store, &key).await;
    timed.expire(&key, LEASE).await;
    store.commit(&key, token, REMEMBER).await.unwrap();
    assert_eq!(
        store.claim(&key, ClaimToken::new(), LEASE).await.unwrap(),
        Claim::Committed
    );
}

pub(crate) async fn a_late_holder_cannot_touch_the_claim_of_another(timed: impl Timed) {
    let (store, key) = (timed.store(), key("taken over"));
    let late = granted(&store, &key).await;
    timed.expire(&key, LEASE).await;
    let holder = granted(&store, &key).await;

    store.release(&key, late).await.unwrap();
    assert_eq!(
        store.claim(&key, ClaimToken::new(), LEASE).await.unwrap(),
        Claim::Held
    );
    let lost = store.commit(&key, late, REMEMBER).await;
    assert_eq!(lost, Err(StoreError::ClaimLost));
    assert_eq!(
        store.claim(&key, ClaimToken::new(), LEASE).await.unwrap(),
        Claim::Held
    );

    store.commit(&key, holder, REMEMBER).await.unwrap();
    let lost = store.commit(&key, late, REMEMBER).await;
    assert_eq!(lost, Err(StoreError::ClaimLost));
    store.release(&key, late).await.unwrap();
    assert_eq!(
        store.claim(&key, ClaimToken::new(), LEASE).await.unwrap(),
        Claim::Committed
    );
}

pub(crate) async fn the_same_claim_may_come_twice(timed: impl Timed) {
    let (store, key) = (timed.store(), key("claimed twice"));
    let token = granted(&store, &key).await;
    let again = store.claim(&key, token, LEASE).await;
    assert_eq!(again, Ok(Claim::Granted));
}

pub(crate) async fn the_same_commit_may_come_twice(timed: impl Timed) {
    let (store, key) = (timed.store(), key("twice"));
    let token = granted(&store, &key).await;
    store.commit(&key, token, REMEMBER).await.unwrap();
    store.commit(&key, token, REMEMBER).await.unwrap();
}

pub(crate) async fn no_time_is_too_short_or_too_long(timed: impl Timed) {
    let store = timed.store();
    for time in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let key = key(&format!("{time:?}"));
        let token = ClaimToken::new();
        let claim = store.claim(&key, token, time).await.unwrap();
        assert_eq!(claim, Claim::Granted, "{time:?}");
        store.commit(&key, token, time).await.unwrap();
    }
    let eternal = key(&format!("{:?}", Duration::MAX));
    let claim = store
        .claim(&eternal, ClaimToken::new(), LEASE)
        .await
        .unwrap();
    assert_eq!(claim, Claim::Committed);
}

pub(crate) async fn a_clone_is_the_same_store(timed: impl Timed) {
    let (store, key) = (timed.store(), key("clone"));
    let token = granted(&store, &key).await;
    let clone = store.clone();
    assert_eq!(
        clone.claim(&key, ClaimToken::new(), LEASE).await.unwrap(),
        Claim::Held
    );
    clone.commit(&key, token, REMEMBER).await.unwrap();
    assert_eq!(
        store.claim(&key, ClaimToken::new(), LEASE).await.unwrap(),
        Claim::Committed
    );
}

/// Of many that claim an event at once, one gets it.
pub(crate) async fn one_of_many_is_granted(stores: Vec<impl DedupStore + Clone>) {
    for round in 0..50 {
        let key = key(&format!("contended {round}"));
        let claims: Vec<_> = (0..16)
            .map(|task| {
                let (store, key) = (stores[task % stores.len()].clone(), key.clone());
                tokio::spawn(
                    async move { store.claim(&key, ClaimToken::new(), LEASE).await.unwrap() },
                )
            })
            .collect();
        let mut granted = 0;
        for claim in claims {
            match claim.await.unwrap() {
                Claim::Granted => granted += 1,
                other => assert_eq!(other, Claim::Held),
            }
        }
        assert_eq!(granted, 1);
    }
}

fn in_stream(name: &str, sequence: &str) -> EventKey {
    key(name).with_position("account", sequence)
}

#[test]
fn a_sequence_over_128_bytes_is_ignored() {
    assert!(in_stream("short", &"9".repeat(128)).position().is_some());
    assert!(in_stream("long", &"9".repeat(129)).position().is_none());
}

pub(crate) async fn committed(store: &impl DedupStore, key: &EventKey) {
    let token = granted(store, key).await;
    store.commit(key, token, REMEMBER).await.unwrap();
}

pub(crate) async fn an_event_below_the_last_committed_sequence_is_stale(timed: impl Timed) {
    let store = timed.store();
    assert!(store.supports_positions());
    let middle = in_stream("middle", "2021-09-13T16:21:29.067Z");
    let earlier = in_stream("earlier", "2021-09-13T16:21:29.06");
    let token = granted(&store, &middle).await;
    let released = granted(&store, &earlier).await;
    store.release(&earlier, released).await.unwrap();
    store.commit(&middle, token, REMEMBER).await.unwrap();

    assert_eq!(
        store.claim(&earlier, ClaimToken::new(), LEASE).await,
        Ok(Claim::Stale)
    );
    assert_eq!(
        store.claim(&middle, ClaimToken::new(), LEASE).await,
        Ok(Claim::Committed)
    );
    committed(&store, &in_stream("equal", "2021-09-13T16:21:29.067Z")).await;
    committed(&store, &key("other stream").with_position("other", "0")).await;
    committed(&store, &key("no position")).await;
    committed(&store, &in_stream("later", "2021-09-13T16:21:29.067Z.")).await;
    let equal = in_stream("equal again", "2021-09-13T16:21:29.067Z");
    assert_eq!(
        store.claim(&equal, ClaimToken::new(), LEASE).await,
        Ok(Claim::Stale)
    );
}

/// A locale can sort `a` before `B`.
pub(crate) async fn sequences_are_compared_by_bytes(timed: impl Timed) {
    let store = timed.store();
    committed(&store, &in_stream("lower case", "a")).await;
    let upper = store
        .claim(&in_stream("upper case", "B"), ClaimToken::new(), LEASE)
        .await;
    assert_eq!(upper, Ok(Claim::Stale));
    committed(&store, &in_stream("not ASCII", "\u{e4}")).await;
    let ascii = store
        .claim(&in_stream("ASCII", "z"), ClaimToken::new(), LEASE)
        .await;
    assert_eq!(ascii, Ok(Claim::Stale));
}

pub(crate) async fn a_late_commit_does_not_lower_the_last_sequence(timed: impl Timed) {
    let store = timed.store();
    let (early, late) = (in_stream("early", "1"), in_stream("late", "9"));
    let token = granted(&store, &early).await;
    committed(&store, &late).await;
    store.commit(&early, token, REMEMBER).await.unwrap();
    let between = store
        .claim(&in_stream("between", "5"), ClaimToken::new(), LEASE)
        .await;
    assert_eq!(between, Ok(Claim::Stale));
}

macro_rules! contract {
    ($timed:expr) => {
        contract!([allow(unused_attributes)] $timed);
    };
    ($attribute:tt $timed:expr) => {
        contract! { $attribute $timed;
            a_claimed_event_is_held
            events_do_not_get_into_each_others_way
            a_committed_event_stays_committed
            a_committed_event_outlives_its_lease_and_then_its_memory
            a_released_event_can_be_claimed
            a_claim_ends_with_its_lease
            a_late_holder_commits_if_nobody_took_over
            a_late_holder_cannot_touch_the_claim_of_another
            the_same_claim_may_come_twice
            the_same_commit_may_come_twice
            no_time_is_too_short_or_too_long
            a_clone_is_the_same_store
            an_event_below_the_last_committed_sequence_is_stale
            sequences_are_compared_by_bytes
            a_late_commit_does_not_lower_the_last_sequence
        }
    };
    ($attribute:tt $timed:expr; $($owed:ident)*) => {
        $(#[tokio::test]
        # $attribute
        async fn $owed() {
            crate::receiver::store::$owed($timed).await;
        })*
    };
}
#[cfg(feature = "redis")]
pub(crate) use contract;

/// tokio's clock is stopped, and moves by what a test says.
struct Memory(MemoryStore);

impl Memory {
    fn new() -> Self {
        tokio::time::pause();
        Self(MemoryStore::default())
    }
}

impl Timed for Memory {
    type Store = MemoryStore;

    fn store(&self) -> MemoryStore {
        self.0.clone()
    }

    async fn expire(&self, key: &EventKey, lifetime: Duration) {
        let almost = lifetime - Duration::from_millis(1);
        tokio::time::advance(almost).await;
        let claim = self.0.claim(key, ClaimToken::new(), LEASE).await.unwrap();
        assert!(matches!(claim, Claim::Held | Claim::Committed), "{claim:?}");
        tokio::time::advance(Duration::from_millis(1)).await;
    }
}

mod memory {
    use super::Memory;

    contract!(Memory::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_one_of_many_tasks_claims_an_event_in_memory() {
    let store = MemoryStore::default();
    one_of_many_is_granted(vec![store.clone(), store]).await;
}

#[tokio::test]
async fn memory_store_evicts_the_least_recently_used_events() {
    let store = MemoryStore::with_capacity(NonZeroUsize::new(100).unwrap());
    for number in 0..10_000 {
        let key = key(&number.to_string());
        let token = granted(&store, &key).await;
        store.commit(&key, token, REMEMBER).await.unwrap();
    }
    granted(&store, &key("0")).await;
    let last = store
        .claim(&key("9999"), ClaimToken::new(), LEASE)
        .await
        .unwrap();
    assert_eq!(last, Claim::Committed);

    let mut remembered = 0;
    for number in 0..10_000 {
        let claim = store
            .claim(&key(&number.to_string()), ClaimToken::new(), LEASE)
            .await
            .unwrap();
        remembered += usize::from(claim == Claim::Committed);
    }
    assert!(remembered <= 100, "{remembered}");
}

#[tokio::test]
async fn full_memory_store_keeps_events_that_are_being_handled() {
    let store = MemoryStore::with_capacity(NonZeroUsize::MIN);
    let handled = key("handled");
    let holder = granted(&store, &handled).await;
    for number in 0..100 {
        let key = key(&number.to_string());
        let token = granted(&store, &key).await;
        store.commit(&key, token, REMEMBER).await.unwrap();
    }
    let again = store.claim(&handled, ClaimToken::new(), LEASE).await;
    assert_eq!(again.unwrap(), Claim::Held);
    store.commit(&handled, holder, REMEMBER).await.unwrap();
    granted(&store, &key("another")).await;
    assert_eq!(format!("{store:?}"), "MemoryStore { events: 1 }");
}

#[tokio::test]
async fn memory_store_remembers_as_many_streams_as_events() {
    let store = MemoryStore::with_capacity(NonZeroUsize::new(2).unwrap());
    let in_stream = |stream: &str, sequence: &str| {
        key(&format!("{stream} {sequence}")).with_position(stream, sequence)
    };
    let lower = async |stream: &str| {
        let token = ClaimToken::new();
        let key = in_stream(stream, "1");
        let claim = store.claim(&key, token, LEASE).await.unwrap();
        store.release(&key, token).await.unwrap();
        claim
    };
    for stream in ["a", "b"] {
        committed(&store, &in_stream(stream, "2")).await;
    }
    assert_eq!(
        (lower("a").await, lower("b").await),
        (Claim::Stale, Claim::Stale)
    );
    committed(&store, &in_stream("c", "2")).await;
    assert_eq!(lower("b").await, Claim::Stale);
    assert_eq!(lower("c").await, Claim::Stale);
    assert_eq!(lower("a").await, Claim::Granted);
}

#[test]
fn claim_tokens_differ_also_as_uuids() {
    let [one, other] = [ClaimToken::new(), ClaimToken::new()];
    assert_ne!(one.as_uuid(), other.as_uuid());
    assert_eq!(one.as_uuid().get_version_num(), 4);
}

/// The key of a real event, of about 60 bytes.
pub(crate) fn usual_key(number: usize) -> EventKey {
    let id = format!("0194c6e0-7b6a-7c3e-9d55-{number:012}");
    EventKey::new(["orders", "lune", "acme", ""], &[&id])
}

/// Prints the size that the documentation of the store states.
#[test]
fn an_event_takes_at_most_300_bytes_in_memory() {
    const EVENTS: usize = 100_000;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let store = MemoryStore::default();
    let remembered = allocation_counter::measure(|| {
        runtime.block_on(async {
            for number in 0..EVENTS {
                committed(&store, &usual_key(number)).await;
            }
        });
    });
    let size = remembered.bytes_current / EVENTS as i64;
    println!("{size} bytes per event in memory");
    assert!((150..=300).contains(&size), "{size}");
}

#[tokio::test(start_paused = true)]
async fn memory_store_removes_expired_events() {
    let store = MemoryStore::default();
    for number in 0..100 {
        granted(&store, &key(&format!("old {number}"))).await;
    }
    assert_eq!(format!("{store:?}"), "MemoryStore { events: 100 }");
    tokio::time::advance(LEASE).await;
    for number in 0..60 {
        granted(&store, &key(&format!("new {number}"))).await;
    }
    assert_eq!(format!("{store:?}"), "MemoryStore { events: 60 }");
}

#[test]
fn event_keys_are_bounded_and_different_parts_never_make_the_same_key() {
    let (long, longer) = ("x".repeat(129), "x".repeat(130));
    let keys = [
        EventKey::new(["r", "preo", "", ""], &["a"]),
        EventKey::new(["r", "lune", "", ""], &["a"]),
        EventKey::new(["r:preo", "", "", ""], &["a"]),
        EventKey::new(["r", "preo:", "", ""], &["a"]),
        EventKey::new(["r", "preo", "a", ""], &["a"]),
        EventKey::new(["r", "preo", "", "a"], &["a"]),
        EventKey::new(["r", "preo", "", ""], &["a", "b"]),
        EventKey::new(["r", "preo", "", ""], &["a:b"]),
        EventKey::new(["r", "preo", "", ""], &["a%3Ab"]),
        EventKey::new(["r", "preo", "", ""], &["h:id", "o"]),
        EventKey::new(["r", "preo", "", ""], &["h", "id:o"]),
        EventKey::new(["r", "preo", "", ""], &[&long]),
        EventKey::new(["r", "preo", "", ""], &[&longer]),
        EventKey::new(["r", "preo", &long, ""], &["a"]),
        EventKey::new(["r", "preo", &longer, ""], &["a"]),
        EventKey::new(["r", "preo", "", &longer], &["a"]),
    ];
    for (index, key) in keys.iter().enumerate() {
        assert!(key.as_str().len() < 300);
        assert!(!keys[..index].contains(key), "{}", key.as_str());
    }
    let digest = keys[11].as_str().rsplit('~').next().unwrap();
    assert_ne!(
        EventKey::new(["r", "preo", "", ""], &[&format!("~{digest}")]),
        keys[11]
    );
}

#[test]
fn an_event_key_has_at_most_647_bytes() {
    for (part, id, length) in [
        ("x".repeat(128), "x".repeat(128), 647),
        (":".repeat(42), ":".repeat(42), 4 * 127 + 2 + 127),
        ("x".repeat(129), "x".repeat(129), 4 * 66 + 2 + 66),
        (":".repeat(128), "~".repeat(128), 4 * 66 + 2 + 66),
        ("%".repeat(10_000), ":".repeat(10_000), 4 * 66 + 2 + 66),
    ] {
        let key = EventKey::new([&part, &part, &part, &part], &[&id]);
        assert_eq!(key.as_str().len(), length, "{key}");
        let positioned = key.with_position(&id, "1");
        assert!(positioned.position().unwrap().stream().len() <= 651);
    }
}

#[test]
fn an_event_key_shows_its_id_without_control_characters_and_its_fingerprint_in_debug() {
    let key = EventKey::new(["r", "preo", "", ""], &["pay\nload"]);
    assert_eq!(key.to_string(), "r:preo:::id:pay\\nload");
    assert!(!format!("{key:?}").contains("pay"));
}
