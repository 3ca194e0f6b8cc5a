use super::*;
use std::io::Write;

fn read(bytes: &[u8]) -> String {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let mut text = String::new();
    let answer = Answer::File(file);
    for _ in 0..2 {
        text.clear();
        answer
            .for_each_piece::<io::Error>(|piece| {
                text.push_str(piece);
                Ok(())
            })
            .unwrap();
    }
    text
}

#[test]
fn characters_survive_the_cuts_between_pieces() {
    for shift in 0..8 {
        let text = format!("{}{}", "x".repeat(shift), "aé€🦀".repeat(PIECE / 4));
        assert_eq!(read(text.as_bytes()), text);
    }
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    assert_eq!(read(b"a\xffb\xe2\x82"), "a\u{fffd}b\u{fffd}");
    assert_eq!(read(b""), "");
}
