//! Some value of any type, in the place of one that cannot be read.

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer as _, Visitor};

use super::Wrong;

/// Makes the least that a type can be: no text, no elements, the first variant, 1.
#[derive(Clone, Copy)]
pub(super) struct Filler {
    /// The fields that are still to be made, or the variants of which the first is.
    names: &'static [&'static str],
    /// How many elements are still to be made.
    elements: usize,
}

impl Filler {
    pub(super) const fn new() -> Self {
        Self { names: &[], elements: 0 }
    }
}

macro_rules! ones {
    ($($method:ident, $visit:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            visitor.$visit(1)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Filler {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_bool(false)
    }

    ones! {
        deserialize_i8, visit_i8;
        deserialize_i16, visit_i16;
        deserialize_i32, visit_i32;
        deserialize_i64, visit_i64;
        deserialize_u8, visit_u8;
        deserialize_u16, visit_u16;
        deserialize_u32, visit_u32;
        deserialize_u64, visit_u64;
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_f64(1.0)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str("")
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str("")
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_seq(Self::new())
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_map(Self::new())
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        elements: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_seq(Self { elements, ..Self::new() })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_map(Self { names, ..Self::new() })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_enum(Self { names, ..Self::new() })
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 char bytes byte_buf unit unit_struct tuple_struct identifier ignored_any
    }
}

impl<'de> de::SeqAccess<'de> for Filler {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        let Some(left) = self.elements.checked_sub(1) else { return Ok(None) };
        self.elements = left;
        seed.deserialize(Self::new()).map(Some)
    }
}

impl<'de> de::MapAccess<'de> for Filler {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some((name, left)) = self.names.split_first() else { return Ok(None) };
        self.names = left;
        let name: StrDeserializer<'_, Wrong> = (*name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        seed.deserialize(Self::new())
    }
}

impl<'de> de::EnumAccess<'de> for Filler {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Wrong> {
        let name = self.names.first().copied().unwrap_or_default();
        let name: StrDeserializer<'_, Wrong> = name.into_deserializer();
        seed.deserialize(name).map(|variant| (variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for Filler {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        seed.deserialize(Self::new())
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        elements: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_seq(Self { elements, ..Self::new() })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_map(Self { names, ..Self::new() })
    }
}
