//! From a page's bytes to its text.

use super::page::declared_charset;
use encoding_rs::{EUC_KR, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// Where a page has to say how it is encoded (HTML, determining the character encoding): within its first
/// bytes.
const DECLARED_WITHIN: usize = 1024;

/// The text of a page whose header said it is of `content_type`.
pub fn decode<'a>(bytes: &'a [u8], content_type: &str) -> Cow<'a, str> {
    let (text, _, _) = encoding(bytes, content_type).decode(bytes);
    text
}

/// The encoding by the header, by the page itself, or by what its bytes allow. A byte order mark counts
/// more than each of them; `decode` sees to that.
fn encoding(bytes: &[u8], content_type: &str) -> &'static Encoding {
    let label = |label: &str| Encoding::for_label(label.as_bytes());
    if let Some(named) = parameter(content_type).and_then(|named| label(&named)) {
        return named;
    }
    let head = &bytes[..bytes.len().min(DECLARED_WITHIN)];
    match declared_charset(head).and_then(|named| label(&named)) {
        // A page that can be read so far is not in UTF-16, whatever it says.
        Some(named) if named == UTF_16BE || named == UTF_16LE => UTF_8,
        Some(named) => named,
        None => guess(bytes),
    }
}

/// What old pages that say nothing are in: if not UTF-8, then most likely EUC-KR here, unless that cannot
/// be.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let is = |encoding: &'static Encoding| {
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
        let mut text = String::with_capacity(room.unwrap_or(0));
        // Not told that it is the end: a page may be cut within a letter.
        let (read, _) = decoder.decode_to_string_without_replacement(bytes, &mut text, false);
        read == encoding_rs::DecoderResult::InputEmpty
    };
    [UTF_8, EUC_KR]
        .into_iter()
        .find(|encoding| is(encoding))
        .unwrap_or(WINDOWS_1252)
}

/// The `charset` of a type of content.
pub fn parameter(content_type: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korean_pages_are_read_however_they_say_it() {
        let korean = "<title>안녕하세요 봉수</title>";
        let (old, _, _) = EUC_KR.encode(korean);
        let check = |head: &str, body: &[u8], content_type: &str| {
            let page = [head.as_bytes(), body].concat();
            let text = decode(&page, content_type);
            assert!(
                text.contains("안녕하세요 봉수"),
                "{head} {content_type}: {text}"
            );
        };
        let utf8 = korean.as_bytes();
        check("", utf8, "text/html; charset=utf-8");
        check("", utf8, "text/html");
        check("\u{feff}", utf8, "text/html; charset=euc-kr");
        check("", &old, "text/html; charset=EUC-KR");
        check("", &old, "text/html;charset=\"ks_c_5601-1987\"");
        check("<meta charset=euc-kr>", &old, "text/html");
        check("<META CHARSET='cp949'/>", &old, "text/html");
        check(
            "<meta http-equiv=Content-Type content='text/html; charset=euc-kr'>",
            &old,
            "text/html",
        );
        check("<!-- nothing said -->", &old, "text/html");
        let cut = [&old[..], &"차".as_bytes()[..1]].concat();
        check("", &cut, "text/html; charset=none");
        check("<meta charset=utf-16>", utf8, "text/html");
        let (wide, _) = (korean.encode_utf16().flat_map(u16::to_le_bytes), ());
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(wide).collect();
        check("", &wide, "text/html");
    }

    #[test]
    fn what_is_neither_is_western() {
        assert_eq!(decode(b"caf\xe9 \xff", "text/html"), "café ÿ");
        assert_eq!(decode(b"", "text/html"), "");
        // Cut within a letter.
        assert!(decode(&"차".as_bytes()[..2], "").contains('\u{fffd}'));
    }
}
