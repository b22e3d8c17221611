//! What a page says of itself: OpenGraph's properties, and where they are missing, its title and
//! description.
//!
//! A tokenizer by the HTML standard reads it; no tree is built, so what a page can cost is bounded by its
//! length.

use super::charset::parameter;
use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};
use html5gum::{Readable, Tokenizer};
use std::collections::BTreeMap;

/// The longest title, and other short text, in characters.
const SHORT: usize = 300;
/// The longest description, in characters.
const LONG: usize = 1_000;
/// The longest address of a picture, in bytes.
const MAX_URL: usize = 4_096;

/// Properties that are passed on as they are, but for their length.
const PASSED_ON: [&str; 7] = [
    "og:title",
    "og:description",
    "og:type",
    "og:url",
    "og:site_name",
    "og:locale",
    "og:image:alt",
];

/// What a page says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// OpenGraph's properties, but for those of the picture.
    pub properties: BTreeMap<&'static str, String>,
    /// The address of its picture, as it stands there.
    pub picture: Option<String>,
}

/// What names a thing, best first.
#[derive(Debug, Default)]
struct Candidates {
    title: [Option<String>; 2],
    description: [Option<String>; 2],
    picture: [Option<String>; 4],
}

/// Reads a page.
pub fn read(text: &str) -> Page {
    let mut page = Page::default();
    let mut spare = Candidates::default();
    let mut title = None;
    for token in tokens(text) {
        match token {
            Token::StartTag(tag) if tag.name.0 == b"title" && spare.title[1].is_none() => {
                title = Some(String::new());
            }
            Token::StartTag(tag) if tag.name.0 == b"meta" => note(&tag, &mut page, &mut spare),
            Token::String(text) => {
                if let Some(title) = &mut title {
                    title.push_str(&String::from_utf8_lossy(&text.value.0));
                }
            }
            Token::EndTag(tag) if tag.name.0 == b"title" => {
                spare.title[1] = spare.title[1].take().or(title.take());
            }
            _ => {}
        }
    }
    for (key, found, most) in [
        ("og:title", spare.title, SHORT),
        ("og:description", spare.description, LONG),
    ] {
        if !page.properties.contains_key(key)
            && let Some(text) = found.into_iter().flatten().find_map(|one| tidy(&one, most))
        {
            page.properties.insert(key, text);
        }
    }
    page.picture = spare.picture.into_iter().flatten().next();
    page
}

/// Takes what a `meta` says. The first to say it counts.
fn note(tag: &StartTag<()>, page: &mut Page, spare: &mut Candidates) {
    let Some(content) = attribute(tag, "content") else {
        return;
    };
    let name = attribute(tag, "property").or_else(|| attribute(tag, "name"));
    let name = name.unwrap_or_default().trim().to_ascii_lowercase();
    let place = match name.as_str() {
        "twitter:title" => &mut spare.title[0],
        "twitter:description" => &mut spare.description[0],
        "description" => &mut spare.description[1],
        "og:image:secure_url" => &mut spare.picture[1],
        "og:image" => &mut spare.picture[0],
        "og:image:url" => &mut spare.picture[2],
        "twitter:image" | "twitter:image:src" => &mut spare.picture[3],
        _ => {
            let most = if name == "og:description" {
                LONG
            } else {
                SHORT
            };
            if let Some(key) = PASSED_ON.into_iter().find(|key| *key == name)
                && let Some(text) = tidy(&content, most)
            {
                page.properties.entry(key).or_insert(text);
            }
            return;
        }
    };
    let content = content.trim();
    if place.is_none() && !content.is_empty() && content.len() <= MAX_URL.max(4 * LONG) {
        *place = Some(content.to_owned());
    }
}

/// Text for people: on one line, without what cannot be seen, and no longer than `most` characters.
fn tidy(text: &str, most: usize) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(most) {
        let room = line[..end].char_indices().next_back();
        line.truncate(room.map_or(0, |(start, _)| start));
        line.push('…');
    }
    Some(line).filter(|line| !line.is_empty())
}

/// How a page says that it is encoded, in its first bytes.
pub fn declared_charset(head: &[u8]) -> Option<String> {
    tokens(head).find_map(|token| {
        let Token::StartTag(tag) = token else {
            return None;
        };
        if tag.name.0 != b"meta" {
            return None;
        }
        attribute(&tag, "charset").or_else(|| {
            let about = attribute(&tag, "http-equiv")?;
            let content = attribute(&tag, "content")?;
            let told = about.trim().eq_ignore_ascii_case("content-type");
            told.then(|| parameter(&content)).flatten()
        })
    })
}

fn tokens<'a>(text: impl Readable<'a>) -> impl Iterator<Item = Token> {
    let mut emitter = DefaultEmitter::default();
    // What stands in a script or a title is text, not tags.
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(text, emitter).filter_map(Result::ok)
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(&value.value.0).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, properties: &[(&str, &str)], picture: Option<&str>) {
        let page = read(html);
        let found: Vec<(&str, &str)> = page
            .properties
            .iter()
            .map(|(key, text)| (*key, text.as_str()))
            .collect();
        assert_eq!(found, properties, "{html}");
        assert_eq!(page.picture.as_deref(), picture, "{html}");
    }

    #[test]
    fn properties_count_more_than_names_and_names_more_than_the_title() {
        check("", &[], None);
        check(
            "<title>\n Tea &amp; cake\t</title>",
            &[("og:title", "Tea & cake")],
            None,
        );
        check(
            "<title>a</title><meta name=twitter:title content=b><meta name=description content=c>",
            &[("og:description", "c"), ("og:title", "b")],
            None,
        );
        check(
            "<META PROPERTY='og:title' CONTENT='차 한 잔'><meta property=og:title content=second>
             <title>x</title><meta property=og:type content=article>
             <meta property=og:secret content=x><meta property=og:image:width content=9>
             <meta property=og:image:url content=c><meta property=og:image content=' /a.png '>",
            &[("og:title", "차 한 잔"), ("og:type", "article")],
            Some("/a.png"),
        );
        check(
            "<meta name=twitter:image content=t.png><meta property=og:title content='  '>",
            &[],
            Some("t.png"),
        );
    }

    #[test]
    fn what_is_no_tag_says_nothing() {
        check(
            "<script>\"<title>no</title><meta property=og:title content=no>\"</script>
             <!-- <title>no</title> --><style><title>no</title></style>
             <title><meta property=og:title content=no></title>",
            &[("og:title", "<meta property=og:title content=no>")],
            None,
        );
    }

    #[test]
    fn bad_html_is_read_as_far_as_it_goes() {
        check("<title>never ends", &[], None);
        check("<meta property=og:title content=cut", &[], None);
        check(
            "<<<title></b><title>x</title></title><title>y</title>\0\u{1}",
            &[("og:title", "</b><title>x")],
            None,
        );
        check(
            "<meta property='og:title' content='a' content='b'/><p",
            &[("og:title", "a")],
            None,
        );
        for depth in [10, 100_000] {
            let page = format!("{}<title>deep</title>", "<div>".repeat(depth));
            check(&page, &[("og:title", "deep")], None);
        }
    }

    #[test]
    fn what_is_long_is_cut() {
        let page = read(&format!(
            "<title>{}</title><meta name=description content='{}'>",
            "차".repeat(500),
            "a b ".repeat(500)
        ));
        let title = &page.properties["og:title"];
        assert_eq!(title.chars().count(), SHORT);
        assert!(title.ends_with("차…"));
        assert_eq!(page.properties["og:description"].chars().count(), LONG);
    }
}
