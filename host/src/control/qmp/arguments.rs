//! A command's arguments to the type it declares for them.
//!
//! The checks, their order and their words are those of QEMU's input visitor: the
//! members in the order in which the type declares them, each there and of its
//! type, and then nothing besides. A member that may be left out is an `Option`.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer as _, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use super::Error;

/// A command without arguments.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct NoArguments {}

/// Reads arguments.
pub(super) fn read<T: DeserializeOwned>(arguments: Map<String, Value>) -> Result<T, Error> {
    let place = Place { path: RefCell::default() };
    T::deserialize(Member { value: Some(Value::Object(arguments)), name: None, place: &place })
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self::generic(what)
    }
}

/// Where a value stands: `instances[0].id`.
struct Place {
    path: RefCell<String>,
}

impl Place {
    /// Goes one step further down while `inner` runs.
    fn within<R>(&self, step: fmt::Arguments<'_>, inner: impl FnOnce() -> R) -> R {
        let length = self.path.borrow().len();
        // Writing to a string cannot fail.
        let _ = fmt::write(&mut *self.path.borrow_mut(), step);
        let result = inner();
        self.path.borrow_mut().truncate(length);
        result
    }

    fn member<R>(&self, name: &str, inner: impl FnOnce() -> R) -> R {
        let dot = if self.path.borrow().is_empty() { "" } else { "." };
        self.within(format_args!("{dot}{name}"), inner)
    }

    fn wrong_type(&self, expected: &str) -> Error {
        let path = self.path.borrow();
        Error::generic(format_args!("Invalid parameter type for '{path}', expected: {expected}"))
    }

    fn missing(&self) -> Error {
        Error::generic(format_args!("Parameter '{}' is missing", self.path.borrow()))
    }

    fn unexpected(&self, name: &str) -> Error {
        self.member(name, || {
            Error::generic(format_args!("Parameter '{}' is unexpected", self.path.borrow()))
        })
    }
}

/// A member of an object, or an element of an array, that may not be there.
struct Member<'a> {
    value: Option<Value>,
    /// Its own name: an element has none.
    name: Option<&'static str>,
    place: &'a Place,
}

impl Member<'_> {
    fn get(self) -> Result<Value, Error> {
        self.value.ok_or_else(|| self.place.missing())
    }

    /// An integer, of a type that C calls `kind`.
    fn integer<'de, V: Visitor<'de>>(self, kind: &str, visitor: V) -> Result<V::Value, Error> {
        let (place, name) = (self.place, self.name.unwrap_or("null"));
        let value = self.get()?;
        // What the type has no room for is said of the member's own name.
        let out_of_range =
            |_: Error| Error::generic(format_args!("Parameter '{name}' expects {kind}"));
        match (value.as_i64(), value.as_u64()) {
            (Some(value), _) => visitor.visit_i64(value).map_err(out_of_range),
            (None, Some(value)) => {
                visitor.visit_u64(value).map_err(|_: Error| place.wrong_type("integer"))
            }
            (None, None) => Err(place.wrong_type("integer")),
        }
    }
}

/// Has a method of a deserializer hand over a value of one kind.
macro_rules! scalar {
    ($method:ident, $kind:ident, $expected:literal, $visit:ident) => {
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let place = self.place;
            match self.get()? {
                Value::$kind(value) => visitor.$visit(value),
                _ => Err(place.wrong_type($expected)),
            }
        }
    };
}

/// Has methods of a deserializer hand over an integer.
macro_rules! integers {
    ($($method:ident $kind:literal)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.integer($kind, visitor)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Member<'_> {
    type Error = Error;

    scalar!(deserialize_bool, Bool, "boolean", visit_bool);
    scalar!(deserialize_string, String, "string", visit_string);
    scalar!(deserialize_str, String, "string", visit_string);
    integers! {
        deserialize_i8 "int8_t" deserialize_i16 "int16_t"
        deserialize_i32 "int32_t" deserialize_i64 "int64_t"
        deserialize_u8 "uint8_t" deserialize_u16 "uint16_t"
        deserialize_u32 "uint32_t" deserialize_u64 "uint64_t"
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let place = self.place;
        let number = self.get()?.as_f64().ok_or_else(|| place.wrong_type("number"))?;
        visitor.visit_f64(number)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            None => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let place = self.place;
        match self.get()? {
            Value::Array(elements) => {
                visitor.visit_seq(Elements { rest: elements.into_iter(), next: 0, place })
            }
            _ => Err(place.wrong_type("array")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let place = self.place;
        let Value::Object(mut members) = self.get()? else {
            return Err(place.wrong_type("object"));
        };
        let rest = fields.iter();
        let read = visitor.visit_map(Members { members: &mut members, rest, next: None, place })?;
        match members.keys().next() {
            Some(name) => Err(place.unexpected(name)),
            None => Ok(read),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (place, name) = (self.place, self.name);
        let Value::String(value) = self.get()? else { return Err(place.wrong_type("string")) };
        if !variants.contains(&value.as_str()) {
            // As in QEMU, for which an element has no name.
            let name = name.unwrap_or("null");
            let what = format_args!("Parameter '{name}' does not accept value '{value}'");
            return Err(Error::generic(what));
        }
        visitor.visit_enum(Variant(value))
    }

    /// Anything: QEMU's `any`.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.get()?.deserialize_any(visitor).map_err(Error::generic)
    }

    forward_to_deserialize_any! {
        i128 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct map identifier
        ignored_any
    }
}

/// The members of an object, also those that are not there.
struct Members<'a> {
    members: &'a mut Map<String, Value>,
    rest: std::slice::Iter<'static, &'static str>,
    next: Option<&'static str>,
    place: &'a Place,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.next = self.rest.next().copied();
        let key =
            |name: &'static str| -> StrDeserializer<'static, Error> { name.into_deserializer() };
        self.next.map(|name| seed.deserialize(key(name))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let name = self.next.take().unwrap_or_default();
        let value = self.members.remove(name);
        let place = self.place;
        place.member(name, || seed.deserialize(Member { value, name: Some(name), place }))
    }
}

/// The elements of an array.
struct Elements<'a> {
    rest: std::vec::IntoIter<Value>,
    next: usize,
    place: &'a Place,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(value) = self.rest.next() else { return Ok(None) };
        let (place, number) = (self.place, self.next);
        self.next += 1;
        place.within(format_args!("[{number}]"), || {
            seed.deserialize(Member { value: Some(value), name: None, place }).map(Some)
        })
    }
}

/// The name of an enumeration's value.
struct Variant(String);

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name: StrDeserializer<'_, Error> = self.0.as_str().into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(Value::Null).map_err(|error: serde_json::Error| Error::generic(error))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}
