//! What lies in the place of a job's record.

#![no_main]

use agent_dispatch::store::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(record) = Record::from_json(input) else { return };
    let written = record.to_json();
    let again = Record::from_json(&written).expect("what was written can be read");
    assert_eq!(again, record);
    assert_eq!(again.to_json(), written);
});
