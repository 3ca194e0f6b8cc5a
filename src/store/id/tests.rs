use super::*;

#[test]
fn an_id_is_exactly_32_lower_case_hex_characters() {
    let id = JobId::generate().to_string();
    assert_eq!(id.parse::<JobId>().unwrap().to_string(), id);
    for bad in [
        "",
        "latest",
        "../../../../etc/passwd",
        &id.to_uppercase(),
        &id[..31],
        &format!("{id}0"),
        &format!("{}/", &id[..31]),
        "0190163d-8694-739b-aea5-966c26f8ad91",
    ] {
        assert!(bad.parse::<JobId>().is_err(), "{bad:?} was taken for an id");
    }
}

#[test]
fn ids_sort_by_creation() {
    let ids: Vec<String> = (0..1_000).map(|_| JobId::generate().to_string()).collect();
    let mut sorted = ids.clone();
    sorted.sort();
    assert_eq!(ids, sorted);
}

#[test]
fn ids_of_one_moment_have_nothing_random_in_common() {
    let ids: Vec<u128> = (0..64).map(|_| JobId::generate().0.as_u128()).collect();
    // The last 62 bits. Among 64 random numbers, two that share their first 32 bits are one in two million.
    let random: std::collections::BTreeSet<u128> =
        ids.iter().map(|id| (id & ((1 << 62) - 1)) >> 30).collect();
    assert_eq!(random.len(), ids.len());
    let common =
        ids.windows(2).map(|pair| (pair[0] ^ pair[1]) & ((1 << 62) - 1)).fold(0, |all, bits| all | bits);
    assert_eq!(common, (1 << 62) - 1, "each bit differs somewhere");
}

#[test]
fn more_ids_than_fit_into_a_millisecond_and_a_clock_that_goes_back_keep_the_order() {
    let mut moment = Moment { millis: 5, count: 0 };
    for now in std::iter::repeat_n(5, 5_000).chain([3, 0, 7]) {
        let next = moment.next(now);
        assert!((next.millis, next.count) > (moment.millis, moment.count) && next.count <= 0xFFF);
        moment = next;
    }
    assert_eq!(moment, Moment { millis: 7, count: 0 });
    let ids: Vec<JobId> = (0..10_000).map(|_| JobId::generate()).collect();
    assert!(ids.is_sorted() && ids.iter().all(|id| id.created_at_ms().is_some()));
}

#[test]
fn an_id_sorts_after_one_that_lies_in_the_future() {
    let future: JobId = "0fffffffffff7fff8000000000000000".parse().unwrap();
    let (one, other) = (JobId::generate_after(future), JobId::generate_after(future));
    assert!(one > future && other > future && one != other, "{one} {other}");
    assert_eq!(one.created_at_ms(), Some(0x1000_0000_0000));
    let past = JobId::generate();
    assert!(JobId::generate_after(past).created_at_ms() < Some(0x0fff_ffff_ffff));
}

#[test]
fn a_selector_is_an_id_a_prefix_or_latest() {
    let id = JobId::generate();
    assert_eq!(id.to_string().parse(), Ok(JobSelector::Id(id)));
    assert_eq!("latest".parse(), Ok(JobSelector::Latest));
    assert_eq!("0190".parse(), Ok(JobSelector::Prefix("0190".into())));
    assert!("019G".parse::<JobSelector>().is_err());
    assert!("".parse::<JobSelector>().is_err());
    assert!("../0".parse::<JobSelector>().is_err());
}
