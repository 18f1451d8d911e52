//! Makes a value out of a tree, and tells everything in it that has the wrong shape.
//!
//! Serde stops at the first mistake. Here it is told, what is wrong is left out or made good, and
//! the tree is read once more, until a whole value comes out of it. So each mistake is told once,
//! and none that only follows from another. Which names are known comes from the types themselves.

mod filler;

use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer as _, Visitor};

use super::near;
use super::read::integer;
use super::tree::{Body, FOUND_MAX, Field, Found, Node, and_more};
use filler::Filler;

/// What was made good.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// Values that something else stands in for.
    filled: BTreeSet<usize>,
    /// Fields that are left out.
    dropped: BTreeSet<usize>,
    /// Fields that were missing.
    supplied: BTreeSet<(usize, &'static str)>,
    /// Fields that are missing because another word stands for them.
    meant: BTreeSet<(usize, String)>,
}

impl Repairs {
    /// Whether a value stands in the file as it was read.
    pub(super) fn is_sound(&self, node: &Node) -> bool {
        !matches!(node.body, Body::Bad) && !self.filled.contains(&node.id())
    }
}

/// Reads a tree as a value. Nothing comes of it where there are too many mistakes, or one that
/// cannot be made good.
pub(super) fn shape<T: DeserializeOwned>(tree: &Node) -> (Option<T>, Repairs, Vec<Found>) {
    let (mut repairs, mut found) = (Repairs::default(), Vec::new());
    while found.len() < FOUND_MAX {
        let wrong = match T::deserialize(Shape { node: tree, repairs: &repairs }) {
            Ok(value) => return (Some(value), repairs, found),
            Err(wrong) => wrong,
        };
        let Some(place) = wrong.place else { break };
        let Place { repair, found: one, meant } = *place;
        if let Some((node, name)) = meant {
            repairs.meant.insert((node, name.to_owned()));
        }
        let follows = match &repair {
            Repair::Supply(node, name) => repairs.meant.contains(&(*node, (*name).to_owned())),
            _ => false,
        };
        // Several fields that are missing from one value are one mistake.
        let lacks = matches!(repair, Repair::Supply(..));
        match found.last_mut() {
            _ if follows => {}
            Some(last) if lacks && last.span == one.span && last.what.ends_with(MISSING) => {
                join_missing(last, &one);
            }
            _ => found.push(one),
        }
        let helps = match repair {
            Repair::Fill(node) => repairs.filled.insert(node),
            Repair::Drop(field) => repairs.dropped.insert(field),
            Repair::Supply(node, name) => repairs.supplied.insert((node, name)),
        };
        if !helps {
            break;
        }
    }
    and_more(&mut found);
    (None, repairs, found)
}

const MISSING: &str = " missing";

/// "the field `a` is missing" and one more.
fn join_missing(found: &mut Found, more: &Found) {
    let names =
        |what: &str| what.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let mut all = names(&found.what);
    all.extend(names(&more.what));
    let last = all.pop().unwrap_or_default();
    found.what = format!("the fields `{}` and `{last}` are missing", all.join("`, `"));
    found.label = "something is missing here".to_owned();
}

#[derive(Debug)]
enum Repair {
    Fill(usize),
    Drop(usize),
    Supply(usize, &'static str),
}

/// Where a mistake is, and what makes it good.
#[derive(Debug)]
struct Place {
    repair: Repair,
    found: Found,
    /// The field that was probably meant, and of what.
    meant: Option<(usize, &'static str)>,
}

/// A mistake, on its way out of serde.
#[derive(Debug)]
struct Wrong {
    raw: Raw,
    place: Option<Box<Place>>,
}

#[derive(Debug)]
enum Raw {
    Missing(&'static str),
    UnknownField(String, &'static [&'static str]),
    UnknownVariant(String, &'static [&'static str]),
    Duplicate(&'static str),
    Other(String),
}

impl Wrong {
    const fn raw(raw: Raw) -> Self {
        Self { raw, place: None }
    }

    /// A value of another kind than is expected.
    fn kind(node: &Node, expected: &str) -> Self {
        let label = format!("this is {}", node.kind());
        Self::at(node, Found::new(node.head(), format!("expected {expected}"), label))
    }

    fn at(node: &Node, found: Found) -> Self {
        let place = Place { repair: Repair::Fill(node.id()), found, meant: None };
        Self { raw: Raw::Other(String::new()), place: Some(Box::new(place)) }
    }

    /// Says where it is, unless somebody who knew better has said so.
    fn or_at(self, node: &Node) -> Self {
        if self.place.is_some() {
            return self;
        }
        let found = match &self.raw {
            Raw::UnknownVariant(word, names) => {
                let what = format!("`{word}` is not known here");
                Found::new(node.head(), what, "not known").help(near::advice(word, names))
            }
            Raw::Missing(name) => {
                let what = format!("the field `{name}` is missing");
                let label = format!("has no `{name}`");
                let place = Place {
                    repair: Repair::Supply(node.id(), name),
                    found: Found::new(node.head(), what, label),
                    meant: None,
                };
                return Self { place: Some(Box::new(place)), ..self };
            }
            Raw::Other(message) => Found::new(node.head(), message.clone(), "here"),
            Raw::UnknownField(word, _) => {
                Found::new(node.head(), format!("there is no field `{word}`"), "here")
            }
            Raw::Duplicate(word) => {
                Found::new(node.head(), format!("`{word}` stands here twice"), "here")
            }
        };
        Self::at(node, found)
    }

    /// The same for a mistake that concerns the field that was read last.
    fn or_of(self, node: &Node, field: Option<&Field>) -> Self {
        let (Some(field), None) = (field, &self.place) else { return self.or_at(node) };
        let (found, meant) = match &self.raw {
            Raw::UnknownField(word, names) => {
                let of = match &node.name {
                    Some(name) => format!(" in `{}`", name.text),
                    None => String::new(),
                };
                let found = Found::new(
                    field.name.span.clone(),
                    format!("there is no field `{word}`{of}"),
                    "no such field",
                );
                let meant = near::nearest(word, names);
                (found.help(near::advice(word, names)), meant.map(|name| (node.id(), name)))
            }
            Raw::Duplicate(name) => {
                let what = format!("the field `{name}` stands here twice");
                (Found::new(field.name.span.clone(), what, "the second one"), None)
            }
            _ => return self.or_at(node),
        };
        let repair = Repair::Drop(field.name.span.start);
        Self { place: Some(Box::new(Place { repair, found, meant })), ..self }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.raw)
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::raw(Raw::Other(message.to_string()))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::raw(Raw::UnknownVariant(variant.to_owned(), expected))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::raw(Raw::UnknownField(field.to_owned(), expected))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::raw(Raw::Missing(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::raw(Raw::Duplicate(field))
    }
}

/// A node that is being read.
#[derive(Clone, Copy)]
struct Shape<'t> {
    node: &'t Node,
    repairs: &'t Repairs,
}

impl<'t> Shape<'t> {
    const fn of(self, node: &'t Node) -> Self {
        Self { node, repairs: self.repairs }
    }

    fn is_sound(self) -> bool {
        self.repairs.is_sound(self.node)
    }

    /// Reads a struct, or a variant that has fields.
    fn fields<'de, V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let fields: &[Field] = match &self.node.body {
            Body::Fields(fields) => fields,
            Body::Tuple(items) if items.is_empty() => &[],
            _ => return Err(self.wants_fields(names)),
        };
        let supplied = self.repairs.supplied.iter().filter(|(node, _)| *node == self.node.id());
        let mut access = Fields {
            of: self,
            fields,
            next: 0,
            supplied: supplied.map(|(_, name)| *name).collect(),
        };
        let read = visitor.visit_map(&mut access);
        let last = access.next.checked_sub(1).and_then(|last| fields.get(last));
        read.map_err(|wrong| wrong.or_of(self.node, last))
    }

    fn wants_fields(self, names: &[&str]) -> Wrong {
        let list = names.join(", ");
        let name = self.node.name.as_ref().map_or("", |name| name.text.as_str());
        let expected = format!("fields with their names: {list}");
        let found = Wrong::kind(self.node, &expected);
        let help = match (&self.node.body, names.first()) {
            (Body::Bare, Some(_)) if name.chars().next().is_some_and(char::is_uppercase) => {
                format!("write `{name}()`, with what it needs in the brackets")
            }
            (_, Some(first)) => format!("write `{name}({first}: …)`"),
            (_, None) => return found,
        };
        found.with_help(help)
    }

    fn whole<T: TryFrom<i128>>(self, least: i128, most: i128) -> Result<T, Wrong> {
        let range = match (least, most) {
            (least, _) if least <= i128::from(i32::MIN) => "a whole number".to_owned(),
            // What there is of them is told by whoever knows what the number is for.
            (0, most) if most >= i128::from(u16::MAX) => "a whole number, 0 or more".to_owned(),
            (least, most) => format!("a whole number from {least} to {most}"),
        };
        let Body::Number(text) = &self.node.body else {
            return Err(Wrong::kind(self.node, &range));
        };
        let number = integer(text).filter(|number| (least..=most).contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
            let large = integer(text).map_or(digits, |number| number > most);
            let label =
                if large { "this is too large".to_owned() } else { format!("this is {text}") };
            Wrong::at(self.node, Found::new(self.node.head(), format!("expected {range}"), label))
        })
    }
}

impl Wrong {
    fn with_help(mut self, help: String) -> Self {
        if let Some(place) = &mut self.place {
            place.found.help = Some(help);
        }
        self
    }
}

macro_rules! whole_numbers {
    ($($method:ident, $visit:ident, $type:ty;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            if !self.is_sound() {
                return Filler::new().$method(visitor);
            }
            let number = self.whole::<$type>(<$type>::MIN.into(), <$type>::MAX.into())?;
            visitor.$visit(number).map_err(|wrong: Wrong| wrong.or_at(self.node))
        })*
    };
}

impl<'de> de::Deserializer<'de> for Shape<'_> {
    type Error = Wrong;

    /// For values whose type the file decides: the arguments of functions, as in JSON.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if !self.is_sound() {
            return visitor.visit_unit();
        }
        let word = self.node.name.as_ref().map(|name| name.text.as_str());
        match (&self.node.body, word) {
            (Body::Text(text), None) => visitor.visit_str(text),
            (Body::Number(text), None) => match integer(text) {
                Some(number) if number < 0 => match i64::try_from(number) {
                    Ok(number) => visitor.visit_i64(number),
                    Err(_) => Err(Wrong::kind(self.node, "a number of at most 64 bits")),
                },
                Some(number) => match u64::try_from(number) {
                    Ok(number) => visitor.visit_u64(number),
                    Err(_) => Err(Wrong::kind(self.node, "a number of at most 64 bits")),
                },
                None => visitor.visit_f64(text.replace('_', "").parse().unwrap_or_default()),
            },
            (Body::Bare, Some("true")) => visitor.visit_bool(true),
            (Body::Bare, Some("false")) => visitor.visit_bool(false),
            (Body::List(_), None) => self.deserialize_seq(visitor),
            (Body::Map(_), None) => self.deserialize_map(visitor),
            (Body::Tuple(items), None) if items.is_empty() => visitor.visit_unit(),
            _ => Err(Wrong::kind(self.node, "a text, a number, true, false, a list or a map")),
        }
        .map_err(|wrong| wrong.or_at(self.node))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.node.name {
            _ if !self.is_sound() => visitor.visit_bool(false),
            Some(name) if name.text == "true" => visitor.visit_bool(true),
            Some(name) if name.text == "false" => visitor.visit_bool(false),
            _ => Err(Wrong::kind(self.node, "true or false")),
        }
    }

    whole_numbers! {
        deserialize_i8, visit_i8, i8;
        deserialize_i16, visit_i16, i16;
        deserialize_i32, visit_i32, i32;
        deserialize_i64, visit_i64, i64;
        deserialize_u8, visit_u8, u8;
        deserialize_u16, visit_u16, u16;
        deserialize_u32, visit_u32, u32;
        deserialize_u64, visit_u64, u64;
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.node.body {
            _ if !self.is_sound() => visitor.visit_f64(0.0),
            Body::Number(text) => {
                visitor.visit_f64(text.replace('_', "").parse().unwrap_or_default())
            }
            _ => Err(Wrong::kind(self.node, "a number")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.node.body {
            _ if !self.is_sound() => visitor.visit_str(""),
            Body::Text(text) => visitor.visit_str(text),
            Body::Bare | Body::Number(_) => {
                let wrong = Wrong::kind(self.node, "a text in quotation marks");
                let written = match (&self.node.body, &self.node.name) {
                    (Body::Number(number), _) => number,
                    (_, Some(name)) => &name.text,
                    _ => return Err(wrong),
                };
                Err(wrong.with_help(format!("write \"{written}\"")))
            }
            _ => Err(Wrong::kind(self.node, "a text in quotation marks")),
        }
        .map_err(|wrong: Wrong| wrong.or_at(self.node))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let name = self.node.name.as_ref().map(|name| name.text.as_str());
        match (name, &self.node.body) {
            _ if !self.is_sound() => visitor.visit_none(),
            (Some("None"), Body::Bare) => visitor.visit_none(),
            (Some("Some"), Body::Tuple(items)) if items.len() == 1 => {
                visitor.visit_some(self.of(&items[0]))
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.node.body {
            _ if !self.is_sound() => Filler::new().deserialize_seq(visitor),
            Body::List(items) => visitor.visit_seq(Items { of: self, items: items.iter() }),
            _ => {
                let wrong = Wrong::kind(self.node, "a list in square brackets");
                Err(wrong.with_help("write `[ …, … ]`; an empty list is `[]`".to_owned()))
            }
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.node.body {
            _ if !self.is_sound() => Filler::new().deserialize_map(visitor),
            Body::Map(entries) => {
                visitor.visit_map(Entries { of: self, entries: entries.iter(), value: None })
            }
            _ => {
                let wrong = Wrong::kind(self.node, "a map in curly brackets");
                Err(wrong.with_help("write `{ \"name\": value }`; an empty one is `{}`".to_owned()))
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match &self.node.name {
            _ if !self.is_sound() => Filler::new().deserialize_struct(name, fields, visitor),
            Some(found) if found.text != name => {
                let what = format!("expected `{name}` or no word before the bracket");
                let found = Found::new(found.span.clone(), what, format!("expected `{name}`"));
                Err(Wrong::at(self.node, found))
            }
            _ => self.fields(fields, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        if !self.is_sound() {
            return Filler::new().deserialize_enum(name, variants, visitor);
        }
        if self.node.name.is_none() {
            let wrong = Wrong::kind(self.node, thing(name));
            let written = match &self.node.body {
                Body::Text(text) if variants.contains(&text.as_str()) => {
                    format!("write `{text}` without quotation marks")
                }
                Body::Number(number) if name == "Cue" => {
                    format!("write `Quiet({number})`, or one of `Into` and `Later`")
                }
                _ => near::advice("", variants),
            };
            return Err(wrong.with_help(written));
        }
        visitor.visit_enum(self).map_err(|wrong| wrong.or_at(self.node))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Wrong> {
        match &self.node.body {
            _ if !self.is_sound() => Filler::new().deserialize_tuple(len, visitor),
            Body::Tuple(items) if items.len() == len && self.node.name.is_none() => {
                visitor.visit_seq(Items { of: self, items: items.iter() })
            }
            _ => {
                let places = vec!["…"; len].join(", ");
                Err(Wrong::kind(self.node, &format!("{len} values in brackets: `({places})`")))
            }
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 char bytes byte_buf unit unit_struct tuple_struct identifier ignored_any
    }
}

impl<'de> de::EnumAccess<'de> for Shape<'_> {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Wrong> {
        let name = self.node.name.as_ref().map_or("", |name| name.text.as_str());
        let name: StrDeserializer<'_, Wrong> = name.into_deserializer();
        seed.deserialize(name).map(|variant| (variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for Shape<'_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        let name = self.node.name.as_ref().map_or("", |name| name.text.as_str());
        match self.node.body {
            Body::Bare => Ok(()),
            _ => Err(Wrong::kind(self.node, &format!("`{name}` alone, without brackets"))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        let name = self.node.name.as_ref().map_or("", |name| name.text.as_str());
        match &self.node.body {
            Body::Tuple(items) if items.len() == 1 => seed.deserialize(self.of(&items[0])),
            body => {
                let wrong = Wrong::kind(self.node, &format!("one value in brackets: `{name}(…)`"));
                match named_value(body) {
                    Some(value) => Err(wrong.with_help(format!("write `{name}({value})`"))),
                    None => Err(wrong),
                }
            }
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Wrong> {
        let name = self.node.name.as_ref().map_or("", |name| name.text.as_str());
        match &self.node.body {
            Body::Tuple(items) if items.len() == len => {
                visitor.visit_seq(Items { of: self, items: items.iter() })
            }
            body => {
                let places = vec!["…"; len].join(", ");
                let wrong = Wrong::kind(
                    self.node,
                    &format!("{len} values in brackets: `{name}({places})`"),
                );
                match (name, body) {
                    ("Calls", Body::Tuple(items)) if items.len() == 1 => Err(wrong.with_help(
                        "a function without arguments has an empty map: `Calls(\"…\", {})`"
                            .to_owned(),
                    )),
                    _ => Err(wrong),
                }
            }
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.fields(fields, visitor)
    }
}

/// What a word of this type stands for.
fn thing(name: &str) -> &'static str {
    match name {
        "Cue" => "a cue",
        "Language" => "a language",
        "Act" => "a turn of the caller's",
        "Doing" => "something that the agent does",
        "Answer" => "an answer to a write",
        "Fault" => "a fault",
        "Moment" => "a moment",
        "OperatorEntry" => "something that an operator does",
        "Expectation" => "an expectation",
        _ => "one of the words that are known here",
    }
}

/// The first value in brackets that stands there with a name and needs none, as it is written.
fn named_value(body: &Body) -> Option<String> {
    /// A longer text is not told once more.
    const LONG: usize = 40;
    let Body::Fields(fields) = body else { return None };
    fields.iter().find_map(|field| match &field.value.body {
        Body::Text(text) if text.chars().count() > LONG => Some("\"…\"".to_owned()),
        Body::Text(text) => Some(format!("{text:?}")),
        Body::Number(number) => Some(number.clone()),
        _ => None,
    })
}

struct Fields<'t> {
    of: Shape<'t>,
    fields: &'t [Field],
    /// The field that comes next; the one before it was read last.
    next: usize,
    supplied: Vec<&'static str>,
}

impl<'de> de::MapAccess<'de> for Fields<'_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        while let Some(field) = self.fields.get(self.next) {
            self.next += 1;
            if !self.of.repairs.dropped.contains(&field.name.span.start) {
                let name: StrDeserializer<'_, Wrong> = field.name.text.as_str().into_deserializer();
                return seed.deserialize(name).map(Some);
            }
        }
        let Some(name) = self.supplied.pop() else { return Ok(None) };
        // Past the last field: this one stands nowhere.
        self.next = self.fields.len() + 1;
        let name: StrDeserializer<'_, Wrong> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        match self.next.checked_sub(1).and_then(|last| self.fields.get(last)) {
            Some(field) => seed.deserialize(self.of.of(&field.value)),
            None => seed.deserialize(Filler::new()),
        }
    }
}

struct Items<'t> {
    of: Shape<'t>,
    items: std::slice::Iter<'t, Node>,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        self.items.next().map(|node| seed.deserialize(self.of.of(node))).transpose()
    }
}

struct Entries<'t> {
    of: Shape<'t>,
    entries: std::slice::Iter<'t, (Node, Node)>,
    value: Option<&'t Node>,
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(self.of.of(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        match self.value.take() {
            Some(value) => seed.deserialize(self.of.of(value)),
            None => seed.deserialize(Filler::new()),
        }
    }
}
