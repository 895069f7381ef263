//! From YAML to a tree of values that know their places.
//!
//! The tree is read whole before any value is looked at, so that a mistake in one value does not hide those in
//! the next. Plain scalars are what YAML 1.2's core schema makes of them.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, Span, StructureStyle, Tag};

use super::mistake::{Place, Wrong};

/// How deeply values may be nested.
const DEPTH: usize = 32;
/// How many values aliases may stand for, all together.
const ALIASED: usize = 1_000_000;

/// A value and where it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) value: Value,
    /// How many values it is, itself and what aliases in it stand for included.
    size: usize,
}

/// A value.
#[derive(Debug)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written.
    Number(String),
    /// Anything else that is written in a word or in quotes.
    Text(String),
    List(Vec<Rc<Node>>),
    /// Keys are unique.
    Map(Vec<(Key, Rc<Node>)>),
}

/// A key and where it begins.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) at: Place,
    pub(super) name: String,
}

impl Node {
    /// What it is, in words that fit before "is no ...".
    pub(super) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(text) => text.clone(),
            Value::Text(text) if text.is_empty() => "''".to_owned(),
            Value::Text(text) => shortened(text),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }
}

/// A text that fits in a message: one line, and not a long one.
pub(super) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

/// Reads a document; `None` where nothing can be made of it, and that is a mistake then.
pub(super) fn parse(text: &str, wrong: &mut Wrong) -> Option<Rc<Node>> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH,
        block_nesting_limit: DEPTH,
    };
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => builder.event(event, &span, wrong)?,
            Err(error) => {
                refuse(text, &error, builder.bracket(), wrong);
                return None;
            }
        }
    }
    if builder.root.is_none() {
        wrong.mistake(Place::START, "nothing in it; begin with `services:`");
    }
    builder.root
}

#[derive(Default)]
struct Builder {
    documents: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    aliased: usize,
    root: Option<Rc<Node>>,
}

/// A list or a mapping whose end was not seen yet.
struct Open {
    at: Place,
    /// Whether it is in brackets.
    flow: bool,
    anchor: usize,
    size: usize,
    content: Content,
}

enum Content {
    List(Vec<Rc<Node>>),
    Map { entries: Vec<(Key, Rc<Node>)>, lines: HashMap<String, u64>, key: Option<Option<Key>> },
}

impl Builder {
    /// Takes an event; `None` ends the reading, after a mistake.
    fn event(&mut self, event: Event<'_>, span: &Span, wrong: &mut Wrong) -> Option<()> {
        let at = place(&span.start);
        let tag_at = span.tag_start().map_or(at, |start| place(&start));
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    wrong.mistake(at, "a second document begins; put everything in one, without `---`");
                    return None;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(&text, style, tag.as_deref(), tag_at, wrong);
                self.put(Node { at, value, size: 1 }, anchor, wrong);
            }
            Event::SequenceStart(style, anchor, tag) => {
                untagged(tag.as_deref(), "seq", tag_at, wrong);
                let flow = style == StructureStyle::Flow;
                self.open.push(Open { at, flow, anchor, size: 1, content: Content::List(Vec::new()) });
            }
            Event::MappingStart(style, anchor, tag) => {
                untagged(tag.as_deref(), "map", tag_at, wrong);
                let flow = style == StructureStyle::Flow;
                let content = Content::Map { entries: Vec::new(), lines: HashMap::new(), key: None };
                self.open.push(Open { at, flow, anchor, size: 1, content });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Open { at, anchor, size, content, .. } = self.open.pop()?;
                let value = match content {
                    Content::List(items) => Value::List(items),
                    Content::Map { entries, .. } => Value::Map(entries),
                };
                self.put(Node { at, value, size }, anchor, wrong);
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).map(Rc::clone) else {
                    wrong.mistake(at, "an alias inside of what it stands for; write the value out");
                    return None;
                };
                self.aliased = self.aliased.saturating_add(node.size);
                if self.aliased > ALIASED {
                    let what =
                        format!("aliases stand for more than {ALIASED} values; write them out, or use fewer");
                    wrong.mistake(at, what);
                    return None;
                }
                self.add(node, at, wrong);
            }
            _ => {}
        }
        Some(())
    }

    /// The bracket that is open, innermost.
    fn bracket(&self) -> Option<Place> {
        self.open.iter().rev().find(|open| open.flow).map(|open| open.at)
    }

    fn put(&mut self, node: Node, anchor: usize, wrong: &mut Wrong) {
        let (at, node) = (node.at, Rc::new(node));
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.add(node, at, wrong);
    }

    fn add(&mut self, node: Rc<Node>, at: Place, wrong: &mut Wrong) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        open.size = open.size.saturating_add(node.size);
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, lines, key } => match key.take() {
                Some(Some(key)) => {
                    // Nothing is nowhere: it is missed at its key.
                    let nothing = matches!(node.value, Value::Null);
                    let node =
                        if nothing { Rc::new(Node { at: key.at, value: Value::Null, size: 1 }) } else { node };
                    entries.push((key, node));
                }
                Some(None) => {}
                None => *key = Some(unique(&node, at, lines, wrong)),
            },
        }
    }
}

/// A key of a mapping; `None` where it is none, or was there before.
fn unique(node: &Node, at: Place, lines: &mut HashMap<String, u64>, wrong: &mut Wrong) -> Option<Key> {
    let name = match &node.value {
        Value::Text(name) | Value::Number(name) => name.clone(),
        Value::Bool(name) => name.to_string(),
        Value::Null | Value::List(_) | Value::Map(_) => {
            wrong.mistake(at, format!("{} is no key; give a word", node.describe()));
            return None;
        }
    };
    if let Some(line) = lines.get(&name) {
        let what = format!("`{}` is already given at line {line}; leave one of them out", shortened(&name));
        wrong.mistake(at, what);
        return None;
    }
    lines.insert(name.clone(), at.line);
    Some(Key { at, name })
}

/// YAML 1.2.2 10.3.2, the core schema.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Place, wrong: &mut Wrong) -> Value {
    if let Some(tag) = tag {
        if tag.core_suffix() == Some("str") {
            return Value::Text(text.to_owned());
        }
        let known = tag.core_suffix().is_some_and(|suffix| matches!(suffix, "null" | "bool" | "int" | "float"));
        if !known {
            tagged(tag, at, wrong);
        }
    }
    if style != ScalarStyle::Plain {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.to_owned()),
        _ => Value::Text(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str, radix: u32| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal, 8);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return digits(hex, 16);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digit = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    digit(whole)
        && digit(part)
        && !(whole.is_empty() && part.is_empty())
        && exponent.is_none_or(|exponent| digits(exponent, 10))
}

fn untagged(tag: Option<&Tag>, own: &str, at: Place, wrong: &mut Wrong) {
    if let Some(tag) = tag
        && tag.core_suffix() != Some(own)
    {
        tagged(tag, at, wrong);
    }
}

fn tagged(tag: &Tag, at: Place, wrong: &mut Wrong) {
    wrong.mistake(at, format!("the tag `{}` has no meaning here; leave it out", shortened(&tag.original())));
}

fn place(marker: &Marker) -> Place {
    Place { line: marker.line().max(1) as u64, column: (marker.col() as u64).saturating_add(1) }
}

/// What is no YAML. Reading ends there: what follows could mean anything.
fn refuse(text: &str, error: &ScanError, bracket: Option<Place>, wrong: &mut Wrong) {
    let at = place(error.marker());
    let what = match (error.kind(), bracket) {
        (
            ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar
            | ErrorKind::TabAtBlockScalarStart,
            _,
        ) => {
            wrong.mistake(tab(text, at).unwrap_or(at), "a tab; indent with spaces");
            return;
        }
        (ErrorKind::UnclosedFlowCollection { open }, _) => {
            format!("unclosed bracket `{open}`; close it after its last item")
        }
        (ErrorKind::UnclosedQuotedScalar, _) => "unclosed quote; close it at the end of the text".to_owned(),
        (ErrorKind::UnknownAnchor, _) => {
            "an alias of an anchor that is not there; put `&NAME` before the value, above".to_owned()
        }
        (ErrorKind::RecursionLimitExceeded, _) => {
            format!("nested more than {DEPTH} deep; nothing here needs more than 6")
        }
        (kind, Some(Place { line, column })) => {
            format!("{kind}, in the bracket of line {line}, column {column}; close it, or check what is in it")
        }
        (kind, None) => format!("{kind}; check indentation and quotes here and above"),
    };
    wrong.mistake(at, what);
}

/// The first tab from a place on: the scanner names where it began to look.
fn tab(text: &str, from: Place) -> Option<Place> {
    text.lines().zip(1_u64..).skip_while(|(_, line)| *line < from.line).find_map(|(content, line)| {
        let before = if line == from.line { from.column } else { 1 };
        content
            .chars()
            .zip(1_u64..)
            .find(|(letter, column)| *letter == '\t' && *column >= before)
            .map(|(_, column)| Place { line, column })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let mut wrong = Wrong::default();
        let _ = parse(text, &mut wrong);
        wrong.end().err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn plain_scalars_are_what_the_core_schema_makes_of_them() {
        // YAML 1.2.2, examples 10.8 and 10.9 and the table of 10.3.2.
        let text = "[null, ~, True, 0, 0o14, 0x3A, -19, 0., -0.0, .5, +12e03, -2E+05, .inf, .NAN, yes, 1.2.3.4, \
                    0o8, 1e, '5', !!str 5, '']";
        let mut wrong = Wrong::default();
        let root = parse(text, &mut wrong).unwrap();
        let Value::List(items) = &root.value else { panic!("{root:?}") };
        let kinds: String = items
            .iter()
            .map(|item| match item.value {
                Value::Null => 'n',
                Value::Bool(_) => 'b',
                Value::Number(_) => '0',
                Value::Text(_) => 't',
                Value::List(_) | Value::Map(_) => '?',
            })
            .collect();
        assert_eq!(kinds, "nnb00000000000ttttttt");
    }

    #[test]
    fn aliases_stand_for_values_but_not_for_floods_of_them() {
        assert_eq!(mistakes("[&a x, *a]"), [""; 0]);
        assert_eq!(
            mistakes("[*a]"),
            ["1:2: an alias of an anchor that is not there; put `&NAME` before the value, above"]
        );
        let mut flood = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..9 {
            let items = vec![format!("*a{}", n - 1); 10].join(", ");
            flood += &format!("a{n}: &a{n} [{items}]\n");
        }
        let found = mistakes(&flood);
        assert!(found[0].contains("aliases stand for more than 1000000 values"), "{found:?}");
    }
}
