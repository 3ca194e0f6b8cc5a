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
