//! From a tree of values to typed ones, field by field: a value that is wrong is a mistake, and the others are
//! read all the same.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value as Json;

use super::mistake::{Place, Wrong};
use super::nearest::nearest;
use super::yaml::{Key, Node, Value};

/// What can be read from a value.
pub(super) trait Read: Sized {
    /// What it is called: "port".
    const NOUN: &'static str;
    /// What would be right, after "give": "a number from 1 to 65535".
    const RIGHT: &'static str;

    /// Reads it. `None` only after a mistake.
    fn read(node: &Node, wrong: &mut Wrong) -> Option<Self>;

    /// Says that a value is none, and gives back nothing.
    fn refuse(node: &Node, wrong: &mut Wrong) -> Option<Self> {
        let (noun, right) = (Self::NOUN, Self::RIGHT);
        wrong.mistake(
            node.at,
            match &node.value {
                Value::Null => format!("no {noun}; give {right}"),
                _ => format!("{} is no {noun}; give {right}", node.describe()),
            },
        );
        None
    }
}

/// A value of a mapping or a list, if it is there, and if it is right.
#[derive(Debug)]
pub(super) struct Field<T> {
    /// Where it begins; `None`: it is not there.
    pub(super) at: Option<Place>,
    /// What it says; `None`: it is not there, or wrong, and that is a mistake already.
    pub(super) value: Option<T>,
}

impl<T: Read> Field<T> {
    fn read(node: &Node, wrong: &mut Wrong) -> Self {
        Self { at: Some(node.at), value: T::read(node, wrong) }
    }
}

impl<T> Field<T> {
    pub(super) const ABSENT: Self = Self { at: None, value: None };

    /// What it says and where, if it is there and right.
    pub(super) fn given(&self) -> Option<(Place, &T)> {
        self.at.zip(self.value.as_ref())
    }

    pub(super) fn is_given(&self) -> bool {
        self.at.is_some()
    }
}

impl<T: Copy> Field<T> {
    /// What it says, or else a default.
    pub(super) fn or(&self, default: T) -> T {
        self.value.unwrap_or(default)
    }
}

impl<T> Field<List<T>> {
    /// How many a list has, right or wrong.
    pub(super) fn count(&self) -> usize {
        self.value.as_ref().map_or(0, |list| list.0.len())
    }

    /// Those of a list that are right.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.value.iter().flat_map(List::values)
    }

    /// Those of a list that are right, and where.
    pub(super) fn each(&self) -> impl Iterator<Item = (Place, &T)> {
        self.value.iter().flat_map(List::given)
    }
}

/// Several of one kind.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<Field<T>>);

impl<T> List<T> {
    /// Those that are right.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(|field| field.value.as_ref())
    }

    /// Those that are right, and where.
    pub(super) fn given(&self) -> impl Iterator<Item = (Place, &T)> {
        self.0.iter().filter_map(Field::given)
    }
}

impl<T: Read> Read for List<T> {
    const NOUN: &'static str = "list";
    const RIGHT: &'static str = "items that begin with `- `, or in brackets and separated by commas";

    fn read(node: &Node, wrong: &mut Wrong) -> Option<Self> {
        match &node.value {
            Value::List(items) => Some(Self(items.iter().map(|item| Field::read(item, wrong)).collect())),
            _ => Self::refuse(node, wrong),
        }
    }
}

impl<T: JsonSchema> JsonSchema for List<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("ListOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<T>();
        json_schema!({ "type": "array", "items": items })
    }
}

/// A short form in one word, or a mapping.
#[derive(Debug)]
pub(super) enum Either<S, M> {
    Short(S),
    Whole(M),
}

impl<S: Read, M: Read> Read for Either<S, M> {
    const NOUN: &'static str = S::NOUN;
    const RIGHT: &'static str = S::RIGHT;

    fn read(node: &Node, wrong: &mut Wrong) -> Option<Self> {
        match &node.value {
            Value::Map(_) => M::read(node, wrong).map(Self::Whole),
            _ => S::read(node, wrong).map(Self::Short),
        }
    }
}

impl<S: JsonSchema, M: JsonSchema> JsonSchema for Either<S, M> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}Or{}", S::schema_name(), M::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let either = [generator.subschema_for::<S>(), generator.subschema_for::<M>()];
        json_schema!({ "anyOf": either })
    }
}

/// A mapping under way to a record.
pub(super) struct Keys<'a> {
    at: Place,
    noun: &'static str,
    entries: &'a [(Key, std::rc::Rc<Node>)],
}

impl<'a> Keys<'a> {
    /// The entries of a mapping; keys that are not `known` are mistakes.
    pub(super) fn open(
        node: &'a Node,
        noun: &'static str,
        known: &[&'static str],
        wrong: &mut Wrong,
    ) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            let found = node.describe();
            let bare = noun.strip_prefix("an ").or(noun.strip_prefix("a ")).unwrap_or(noun);
            wrong.mistake(node.at, format!("{found} is no {bare}; give a mapping with {}", listed(known, "and")));
            return None;
        };
        for (key, _) in entries {
            if !known.contains(&key.name.as_str()) {
                let near = nearest(&key.name, known.iter().copied());
                let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
                let name = super::yaml::shortened(&key.name);
                let what = format!("unknown key `{name}`; {near}{noun} has {}", listed(known, "and"));
                wrong.mistake(key.at, what);
            }
        }
        Some(Self { at: node.at, noun, entries })
    }

    /// A field that may be left out.
    pub(super) fn optional<T: Read>(&self, name: &str, wrong: &mut Wrong) -> Field<T> {
        let found = self.entries.iter().find(|(key, _)| key.name == name);
        found.map_or(Field::ABSENT, |(_, node)| Field::read(node, wrong))
    }

    /// A field that must be there.
    pub(super) fn required<T: Read>(&self, name: &str, wrong: &mut Wrong) -> Field<T> {
        let field = self.optional(name, wrong);
        if !field.is_given() {
            wrong.mistake(self.at, format!("{} without `{name}`; give {}", self.noun, T::RIGHT));
        }
        field
    }
}

/// "a, b and c".
pub(super) fn listed(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}

/// A mapping's schema, from its fields: name, whether it is required, what it means, its type's schema.
pub(super) fn mapping(about: &[&str], fields: Vec<(&str, &str, &[&str], Schema)>) -> Schema {
    let required: Vec<_> = fields.iter().filter(|field| field.1 == "required").map(|field| field.0).collect();
    let mut properties = serde_json::Map::new();
    for (name, _, about, schema) in fields {
        let mut schema = schema;
        schema.insert("description".to_owned(), Json::from(prose(about)));
        properties.insert(name.to_owned(), schema.to_value());
    }
    let mut schema = json_schema!({
        "type": "object",
        "description": prose(about),
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema.insert("required".to_owned(), Json::from(required));
    }
    schema
}

/// The lines of a doc comment as one text.
pub(super) fn prose(lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| line.trim()).collect();
    lines.join(" ").trim().replace('`', "")
}

/// A mapping with known keys: the type, how it is read, and its schema.
macro_rules! record {
    (
        $(#[doc = $about:literal])*
        $name:ident = $noun:literal {
            $( $(#[doc = $doc:literal])* $need:ident $field:ident: $type:ty, )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug)]
        pub(in crate::config) struct $name {
            $( $(#[doc = $doc])* pub(in crate::config) $field: $crate::config::read::Field<$type>, )*
        }

        impl $crate::config::read::Read for $name {
            const NOUN: &'static str = $noun;
            const RIGHT: &'static str = concat!("a mapping with the keys of ", $noun);

            fn read(
                node: &$crate::config::yaml::Node,
                wrong: &mut $crate::config::mistake::Wrong,
            ) -> Option<Self> {
                let known = [$( stringify!($field) ),*];
                let keys = $crate::config::read::Keys::open(node, $noun, &known, wrong)?;
                Some(Self { $( $field: keys.$need(stringify!($field), wrong) ),* })
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::config::read::mapping(&[$($about),*], vec![$((
                    stringify!($field),
                    stringify!($need),
                    &[$($doc),*],
                    generator.subschema_for::<$type>(),
                )),*])
            }
        }
    };
}

/// One word of several: how it is read, and its schema. The type is there already.
macro_rules! choice {
    ($visible:vis $type:ident = $noun:literal, $right:literal { $( $(#[doc = $doc:literal])* $word:literal => $value:path, )* }) => {
        impl $crate::config::read::Read for $type {
            const NOUN: &'static str = $noun;
            const RIGHT: &'static str = $right;

            fn read(
                node: &$crate::config::yaml::Node,
                wrong: &mut $crate::config::mistake::Wrong,
            ) -> Option<Self> {
                match &node.value {
                    $( $crate::config::yaml::Value::Text(word) if word == $word => Some($value), )*
                    _ => Self::refuse(node, wrong),
                }
            }
        }

        impl $type {
            /// The word that a configuration has for it.
            #[must_use]
            $visible fn as_written(self) -> &'static str {
                match self {
                    $( $value => $word, )*
                }
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "oneOf": [$(
                    { "const": $word, "description": $crate::config::read::prose(&[$($doc),*]) }
                ),*] })
            }
        }
    };
}

pub(super) use {choice, record};
