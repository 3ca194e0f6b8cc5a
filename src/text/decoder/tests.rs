use super::*;

#[test]
fn characters_cut_anywhere_are_whole_and_other_bytes_are_replaced() {
    let bytes = b"a\xc3\xa4\x9b31m\xf0\x9f\xa6\x80\xff\xc3";
    let whole = "aä\u{fffd}31m🦀\u{fffd}\u{fffd}";
    for first in 0..=bytes.len() {
        let mut decoder = Decoder::default();
        let mut text = String::new();
        for piece in [&bytes[..first], &bytes[first..]] {
            decoder.push(piece, &mut text);
        }
        decoder.finish(&mut text);
        assert_eq!(text, whole, "cut at {first}");
    }
    let mut decoder = Decoder::default();
    let mut text = String::new();
    bytes.iter().for_each(|byte| decoder.push(&[*byte], &mut text));
    decoder.finish(&mut text);
    assert_eq!(text, whole);
}
